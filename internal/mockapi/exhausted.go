package mockapi

import (
	"fmt"
	"net/http"

	"github.com/hsharness/hsharness/internal/avalara"
)

// Profile is one way to answer when the allowance is used up. Which one the
// real sandbox has is unknown, so every one of them is assumed; the numbers of
// the errors are verified.
type Profile string

const (
	// RequestLimit is 429 with error 1715 and no Retry-After: waiting does not
	// help. It is the default.
	RequestLimit Profile = "request_limit"
	// Subscription is 403 with error 600.
	Subscription Profile = "subscription"
	// RateLimit is 429 with error 1723 and Retry-After, as if it would pass.
	RateLimit Profile = "rate_limit"
	// PaymentRequired is 402 with an empty body.
	PaymentRequired Profile = "payment_required"
	// Gateway is 429 with the bare body of an API gateway, without the error
	// envelope.
	Gateway Profile = "gateway"
)

// Profiles lists all of them, the default first.
func Profiles() []Profile {
	return []Profile{RequestLimit, Subscription, RateLimit, PaymentRequired, Gateway}
}

func (p Profile) reply() (reply, error) {
	switch p {
	case "", RequestLimit:
		return failure(http.StatusTooManyRequests, targetAccount, problem(avalara.RequestLimitExceeded, "")), nil
	case Subscription:
		return failure(http.StatusForbidden, targetAccount, problem(avalara.SubscriptionRequired, "", "HS classification")), nil
	case RateLimit:
		r := failure(http.StatusTooManyRequests, targetRequest, problem(avalara.RateLimitExceededError, ""))
		r.header = map[string]string{"Retry-After": "60"}
		return r, nil
	case PaymentRequired:
		return reply{status: http.StatusPaymentRequired}, nil
	case Gateway:
		return reply{status: http.StatusTooManyRequests, body: map[string]string{"message": "Limit Exceeded"}}, nil
	}
	return reply{}, fmt.Errorf("exhausted profile %q is none of %v", p, Profiles())
}
