package rest

import (
	"net/http"

	"nhip"
	"nhip/api/access"
)

// Errors of requests without the operator's token.
var (
	errNotOperator = nhip.Errorf(nhip.CodeUnauthorized, "Authorization",
		"must be Bearer and the operator's token, which is in the data folder")
	errGuessing = nhip.Errorf(nhip.CodeTooMany, "Authorization", "too many wrong tokens from this address; wait")
)

// OperatorError returns nil for a request of the operator, and else the error to answer: it asks for the token or, if
// the address guesses it, to wait.
func OperatorError(guard *access.Guard, r *http.Request) error {
	switch guard.Check(r) {
	case access.Allowed:
		return nil
	case access.Slowed:
		return errGuessing
	}
	return errNotOperator
}

// RequireOperator answers requests without the operator's token with 401, or 429 if the address guesses it.
func (p Responder) RequireOperator(guard *access.Guard) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := OperatorError(guard, r); err != nil {
				p.Problem(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
