package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"

	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/strictjson"
)

// maxControlBody bounds what the control endpoint reads, in bytes.
const maxControlBody = 1 << 20

// readJSON reads a body strictly; an empty one is an empty object. When it
// returns false the answer was written.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	if err != nil {
		status, text := bounded.Reason(err)
		fail(w, status, "", text)
		return false
	}
	if len(data) > 0 {
		if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
			// A page of another origin can send every other type unasked.
			fail(w, http.StatusUnsupportedMediaType, "", "send the body as Content-Type: application/json")
			return false
		}
		err = strictjson.Decode(data, v)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, fieldOf(err), "the body can't be read: "+err.Error())
		return false
	}
	return true
}

// fieldOf is the member that is wrong, empty where that is not known.
func fieldOf(err error) string {
	var wrong *strictjson.Error
	if errors.As(err, &wrong) {
		return wrong.Member
	}
	return ""
}

func writeJSON(w http.ResponseWriter, v any) { writeStatus(w, http.StatusOK, v) }

func writeStatus(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone when this fails
}

// writeList writes a list, each element when it is its turn.
func writeList[T any](w http.ResponseWriter, all iter.Seq[T]) {
	w.Header().Set("Content-Type", "application/json")
	before := "["
	for one := range all {
		text, err := json.Marshal(one)
		if err != nil { // none of what is listed here can fail
			return
		}
		if _, err := io.WriteString(w, before); err != nil {
			return
		}
		if _, err := w.Write(text); err != nil {
			return
		}
		before = ","
	}
	if before == "[" {
		_, _ = io.WriteString(w, before) // the client has gone when this fails, as below
	}
	_, _ = io.WriteString(w, "]\n")
}

// fail answers a [Problem].
func fail(w http.ResponseWriter, status int, field, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{ // the client has gone when this fails
		Type: "urn:hsharness:control", Title: http.StatusText(status), Status: status, Detail: detail, Field: field,
	})
}

// refused is what is said of a rule that can't be honoured, and of a guard that
// makes no clients any more.
func refused(w http.ResponseWriter, err error) {
	var rule *RuleError
	switch {
	case errors.As(err, &rule):
		fail(w, http.StatusBadRequest, rule.Field, rule.Detail)
	case errors.Is(err, ErrEnded):
		fail(w, http.StatusConflict, "", err.Error())
	case errors.Is(err, ErrManyClients), errors.Is(err, errLongRules):
		fail(w, http.StatusServiceUnavailable, "", err.Error())
	default:
		fail(w, http.StatusInternalServerError, "", fmt.Sprintf("the client could not be made: %v", err))
	}
}
