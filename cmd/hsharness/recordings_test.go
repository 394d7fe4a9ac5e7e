package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hsharness/hsharness/internal/recording"
)

// taped records one bought answer as the guard does, so many days ago, and sets
// KEY to its key: taped DIR DESCRIPTION DAYS STATUS ANSWER.
func taped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: taped DIR DESCRIPTION DAYS STATUS ANSWER")
	}
	days, err := strconv.Atoi(args[2])
	ts.Check(err)
	status, err := strconv.Atoi(args[3])
	ts.Check(err)
	store, err := recording.Open(recording.Config{Dir: ts.MkAbs(args[0])})
	ts.Check(err)
	body, err := json.Marshal(map[string]string{"description": args[1]})
	ts.Check(err)
	header := http.Header{"Content-Type": {"application/json"}}
	k := store.Key(recording.Request{
		Environment: "sandbox", API: "current", Operation: "POST /hscode/classify", Method: http.MethodPost,
		Path: "/hscode/classify", Header: header, Body: body,
	})
	ts.Check(store.Put(context.Background(), k, recording.Take{
		RecordedAt: time.Now().Add(-time.Duration(days)*24*time.Hour - time.Minute), Cost: 1, Entry: "spend-" + args[2],
		Response: recording.Message{Status: status, Header: header, Body: []byte(args[4])}, ElapsedMS: 12,
	}))
	ts.Setenv("KEY", k.Sum)
}
