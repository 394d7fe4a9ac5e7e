package control_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/mockidp/control"
)

// TestSecretsWithinOtherTextsAreMasked: a token request in a language that the service does
// not speak, or as a value of another request, is one all the same.
func TestSecretsWithinOtherTextsAreMasked(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		// JSON
		`{"client_id":"c", "client_secret" : "hunter2","a":1}`: `{"client_id":"c", "client_secret" : "***","a":1}`,
		`{"a":[{"Client_Secret":"hun\"ter2"}],"b":"x:y"}`:      `{"a":[{"Client_Secret":"***"}],"b":"x:y"}`,
		`{"access_token":1234567,"b":2}`:                       `{"access_token":***,"b":2}`,
		`{"password":["hunter2"]}`:                             `{"password":***`,
		`{"password":"hunter2`:                                 `{"password":"***`,
		`{"a":"{\"client_secret\":\"hun\\\"ter2\",\"b\":1}"}`:  `{"a":"{\"client_secret\":\"***\",\"b\":1}"}`,
		// a form's values
		`a=1&b={"client_secret":"hunter2"}&c=2`:                     `a=1&b=***&c=2`,
		`b=%7B%22client_secret%22%3A+%22hunter2%22%7D`:              `b=***`,
		`b=%257B%2522client_secret%2522%253A%2522hunter2%2522%257D`: `b=***`,
		`state=client_id%3Dc%26client%5Fsecret%3Dhunter2`:           `state=***`,
		`uri=https%3A%2F%2Fa.example%2F%3Fx%3D1%26token%3Dhunter2`:  `uri=***`,
		// parts
		"--x\r\nContent-Disposition: form-data; name=\"client_secret\"\r\n\r\nhunter2\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--": "--x\r\nContent-Disposition: form-data; name=\"client_secret\"\r\n\r\n***\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--",
		"--x\r\nContent-Disposition: form-data; name=token\r\n\r\nhunter2\r\n--x--":                                                                           "--x\r\nContent-Disposition: form-data; name=token\r\n\r\n***\r\n--x--",
		"name=\"password\"\r\nContent-Type: text/plain\r\n\r\nhunter2":                                                                                        "name=\"password\"\r\nContent-Type: text/plain\r\n\r\n***",
		// neither
		`{"code":"6109100010","description":"a token: \"client_secret\" of cotton"}`: `{"code":"6109100010","description":"a token: \"client_secret\" of cotton"}`,
		`description=a%20%22token%22&code=`:                                          `description=a%20%22token%22&code=***`,
		`a=b=c&d=%26%3D`:                                                             `a=b=c&d=%26%3D`,
	} {
		assert.Equal(t, want, control.MaskForm(body), body)
		assert.Equal(t, want, control.MaskForm(want), "masked twice it is the same")
	}
}

// TestLongTextsAreMaskedSoon: a failed step shows its request, which may have megabytes.
func TestLongTextsAreMaskedSoon(t *testing.T) {
	t.Parallel()
	for _, part := range []string{`"token":"`, `"token":1,`, `":`, `\":`, "name=\"token\"\r\n\r\n\r\n--", `name="token"`, `name="a"`, "token=%25&", "a=%25257B&", `:`} {
		start := time.Now()
		control.MaskForm(strings.Repeat(part, 1<<20/len(part)) + "\r\n\r\nx")
		assert.Less(t, time.Since(start), 5*time.Second, part)
	}
}
