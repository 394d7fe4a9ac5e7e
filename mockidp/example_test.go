package mockidp_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/hsharness/hsharness/mockidp"
)

func Example() {
	idp, err := mockidp.New(mockidp.Sandbox())
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := httptest.NewServer(idp)
	defer srv.Close()

	config := clientcredentials.Config{
		ClientID:     mockidp.DefaultClientID,
		ClientSecret: mockidp.DefaultClientSecret,
		TokenURL:     srv.URL + "/connect/token",
		Scopes:       []string{"hs-code-classification"},
	}
	token, err := config.Token(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.TokenType, token.Extra("scope"), token.Extra("expires_in"))
	// Output: Bearer hs-code-classification 3600
}
