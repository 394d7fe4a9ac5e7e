package recording_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/hsharness/hsharness/internal/recording"
)

// A buyer holds the key's lock from the look into the store to the write, so
// that nobody else buys the same answer meanwhile, and pays for nothing that could
// not be kept.
func Example() {
	dir, err := os.MkdirTemp("", "recordings")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := recording.Open(recording.Config{
		Dir:     filepath.Join(dir, "recordings"),
		Ignore:  []string{"/requestId"},
		Secrets: []recording.Secret{{Name: "account", Value: "acct-0815"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	answer := func(body string) (string, error) {
		ctx := context.Background()
		key := store.Key(recording.Request{
			Environment: "sandbox", API: "current", Operation: "POST /hscode/classify",
			Method: "POST", Path: "/hscode/classify", Body: []byte(body),
		})
		unlock, err := store.Lock(ctx, key)
		if err != nil {
			return "", err
		}
		defer unlock()
		_, take, err := store.Answer(key)
		if errors.Is(err, recording.ErrMiss) {
			if err := store.Ready(ctx, key); err != nil {
				return "", err
			}
			fmt.Println("bought")
			bought := recording.Take{Cost: 1, Response: recording.Message{Status: 200, Body: []byte(`{"hsCode":"6109.10","account":"acct-0815"}`)}}
			return string(bought.Response.Body), store.Put(ctx, key, bought)
		}
		if err != nil {
			return "", err
		}
		return string(take.Response.Body), nil
	}
	for _, body := range []string{
		`{"description":"shirt","requestId":"1"}`,
		`{"requestId":"2", "description":"shirt"}`,
	} {
		text, err := answer(body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(text)
	}
	// Output:
	// bought
	// {"hsCode":"6109.10","account":"acct-0815"}
	// {"hsCode":"6109.10","account":"{{secret:account#8d3e}}"}
}
