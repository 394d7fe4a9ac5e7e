package avalara

import (
	"strconv"
	"strings"
)

// ErrorCode is one entry of the error catalogue that the vendor's APIs share.
// In Message and Description the vendor's placeholders -0-, -1- stay as they
// are; [ErrorCode.Fill] replaces them.
type ErrorCode struct {
	Code        string
	Number      int
	Message     string
	Description string
	// Evidence is about the texts. Every number is verified.
	Evidence Evidence
}

// The codes that the mock emits. Source of the numbers: ErrorCodeId.cs of the
// vendor's .NET SDK; of the verified texts: the vendor's error pages. Texts
// that no source gives are ours, and say so by [Assumed].
var (
	EntityNotFoundError     = ErrorCode{"EntityNotFoundError", 4, "-0- not found.", "The Classification Request with id '-0-' was not found.", Verified}
	ValueRequiredError      = ErrorCode{"ValueRequiredError", 5, "Field -0- is required.", "Please provide a value for field -0-.", Verified}
	MaxStringLengthError    = ErrorCode{"MaxStringLengthError", 14, "Field '-0-' has an invalid length.", "Field '-0-' must be no more than -1- characters in length.", Verified}
	AuthenticationException = ErrorCode{"AuthenticationException", 30, "Authentication failed.", "Unable to authenticate the user or the account.", Verified}
	ModelStateInvalid       = ErrorCode{"ModelStateInvalid", 70, "Invalid JSON object.", "The request body does not represent a valid JSON object.", Verified}
	InvalidCountry          = ErrorCode{"InvalidCountry", 125, "The country '-0-' is not a recognized country code.", "Please use the `ListCountries` API to see a list of recognized country codes.", Assumed}
	InvalidEnumValue        = ErrorCode{"InvalidEnumValue", 164, "The value '-0-' is not valid for field '-1-'.", "Please provide one of the values documented for field '-1-'.", Assumed}
	RequestTooLarge         = ErrorCode{"RequestTooLarge", 187, "The request is too large.", "The request body is longer than this service accepts.", Assumed}
	SubscriptionRequired    = ErrorCode{"SubscriptionRequired", 600, "This API requires a subscription to '-0-'.", "Your subscription may not be in effect or it may have expired.", Verified}
	RequestLimitExceeded    = ErrorCode{"RequestLimitExceeded", 1715, "Request limit exceeded.", "The account has used all the requests it may make.", Assumed}
	RateLimitExceededError  = ErrorCode{"RateLimitExceededError", 1723, "Rate limit exceeded.", "Too many requests in a short time. Try again later.", Assumed}
	InvalidHsCode           = ErrorCode{"InvalidHsCode", 2807, "The HS code '-0-' is not valid.", "Please provide an HS code of six digits.", Assumed}
	UnsupportedMediaType    = ErrorCode{"UnsupportedMediaType", 4016, "Unsupported media type.", "The Content-Type of this request must be application/json.", Assumed}
)

// Fill returns e with its placeholders -0-, -1-, … replaced by args. What is in an argument stays.
func (e ErrorCode) Fill(args ...string) ErrorCode {
	holes := make([]string, 0, 2*len(args))
	for i, a := range args {
		holes = append(holes, "-"+strconv.Itoa(i)+"-", a)
	}
	with := strings.NewReplacer(holes...)
	e.Message, e.Description = with.Replace(e.Message), with.Replace(e.Description)
	return e
}
