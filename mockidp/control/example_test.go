package control_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hsharness/hsharness/mockidp/control"
)

// A script says which calls are spoiled and how: here the second one of every
// client.
func Example() {
	var faults control.Script
	if err := faults.Add(control.Fault{On: "api", Nth: []int{2}, Status: http.StatusServiceUnavailable}); err != nil {
		fmt.Println(err)
		return
	}
	work := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a code") })
	for range 3 {
		w := httptest.NewRecorder()
		faults.Next(control.Call{Endpoint: "api"}).Serve(w, httptest.NewRequest(http.MethodPost, "/hscode/classify", nil), work)
		fmt.Println(w.Code, w.Body.Len())
	}
	// Output:
	// 200 6
	// 503 0
	// 200 6
}

// An hour passes at once.
func ExampleClock() {
	clock := control.NewClock(func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) })
	if err := clock.Advance(66 * time.Minute); err != nil {
		panic(err)
	}
	fmt.Println(clock.Now().Format(time.TimeOnly))
	// Output: 10:06:00
}
