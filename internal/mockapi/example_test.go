package mockapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
)

func ExampleServer_Handler() {
	allowance := int64(1000)
	api, err := mockapi.New(mockapi.Config{Allowance: &allowance})
	if err != nil {
		panic(err)
	}
	current := httptest.NewServer(api.Handler(avalara.Current))
	defer current.Close()

	res, err := http.Post(current.URL+"/hscode/classify", "application/json", nil)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	fmt.Println(res.StatusCode, res.Header.Get("WWW-Authenticate"))
	fmt.Println(*api.Usage().Granted, api.Usage().Served)
	// Output:
	// 401 Bearer
	// 1000 0
}
