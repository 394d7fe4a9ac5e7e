package mockapi

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/hsharness/hsharness/internal/avalara"
)

// reply is an answer before it is written.
type reply struct {
	status int
	// header is set on top of what every answer has. It may be nil.
	header map[string]string
	// body is written as JSON. Nil means an empty body without a content type.
	body any
}

// write sends the answer; bare leaves the outer "error" of an error body out.
func (r reply) write(w http.ResponseWriter, bare bool) {
	var body []byte
	if e, ok := r.body.(envelope); ok && bare {
		r.body = e.Error
	}
	if r.body != nil {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		// Only strings, numbers and structs of them are ever encoded, and
		// decoding made their UTF-8 valid.
		_ = enc.Encode(r.body)
		body = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

// The values of an error's target that the mock uses. Source: the vendor's 2019
// swagger and the AvaTax error model; which goes with which error is assumed.
const (
	targetRequest = "HttpRequest"
	targetHeaders = "HttpRequestHeaders"
	targetData    = "IncorrectData"
	targetAccount = "CustomerAccountSetup"
)

// envelope is the error model that the vendor's APIs share. Source: the
// examples of the 2019 swagger, and two clients that read it; verified.
type envelope struct {
	Error struct {
		Code    string   `json:"code"`
		Message string   `json:"message"`
		Target  string   `json:"target"`
		Details []detail `json:"details"`
	} `json:"error"`
}

type detail struct {
	Code        string `json:"code"`
	Number      int    `json:"number"`
	Message     string `json:"message"`
	Description string `json:"description"`
	FaultCode   string `json:"faultCode"`
	HelpLink    string `json:"helpLink"`
	RefersTo    string `json:"refersTo"`
	Severity    string `json:"severity"`
}

// problem fills one line of the envelope. refersTo is the path of the field
// that is wrong, empty when it is none.
func problem(code avalara.ErrorCode, refersTo string, args ...string) detail {
	code = code.Fill(args...)
	return detail{
		Code: code.Code, Number: code.Number, Message: code.Message, Description: code.Description,
		FaultCode: "Client", HelpLink: "http://developer.avalara.com/avatax/errors/" + code.Code,
		RefersTo: refersTo, Severity: "Error",
	}
}

// failure is an error answer. The first detail names it.
func failure(status int, target string, details ...detail) reply {
	var e envelope
	e.Error.Code, e.Error.Message = details[0].Code, details[0].Message
	e.Error.Target, e.Error.Details = target, details
	return reply{status: status, body: e}
}

// correlationID echoes a client's id, if it has one that fits into a header and
// a log line, or makes one. Source: the AvaTax SDK reads it from every answer;
// verified there, assumed here.
func correlationID(sent string) string {
	const most = 128
	usable := sent != "" && len(sent) <= most
	for i := 0; usable && i < len(sent); i++ {
		usable = sent[i] > ' ' && sent[i] <= '~'
	}
	if usable {
		return sent
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
