package gateway

import (
	"errors"
	"net/http"
	"sync/atomic"

	"nhip"
	"nhip/internal/problem"
)

// Parts of the gateway in which a panic is recovered from, as nhip_panics_total names them, besides the listeners.
const (
	partPush     = "push"
	partAcceptor = "acceptor"
)

// errPanicked is the outcome of what a panic has ended.
var errPanicked = errors.New("the gateway failed; this is a fault of nhip")

// hand passes a message to the acceptor, whose outcome goes to done. A panic of the acceptor is an outcome, too:
// without one the message would count as in flight for ever.
func (h *hook) hand(m nhip.Message, done func(error)) {
	var settled atomic.Bool
	once := func(err error) {
		if !settled.Swap(true) {
			done(err)
		}
	}
	defer h.guard.Recover(partAcceptor, func() { once(errPanicked) })
	h.acceptor.Accept(m, once)
}

// recovering returns a handler whose panics end one request alone. http.Server would do that, too, and count nothing.
func (h *hook) recovering(part string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // http.Server handles it
			default:
				h.guard.Note(part, p)
				problem.Plain(w, http.StatusInternalServerError, nhip.CodeInternal, "")
			}
		}()
		next.ServeHTTP(w, r)
	})
}
