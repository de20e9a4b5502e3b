package accounts

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/openid"

	"github.com/prometheus/client_golang/prometheus"
)

// Addresses of the sign-in at an issuer.
const (
	signInPath   = "/sign-in/oidc"
	callbackPath = signInPath + "/callback"
	stateCookie  = "nhip_sign_in"
)

// SignInMetrics counts the sign-ins at an issuer.
type SignInMetrics struct{ outcomes *prometheus.CounterVec }

// Outcomes of sign-ins besides the reasons of openid.
const (
	signedIn    = "signed-in"
	notRecorded = "not-recorded" // no collector keeps the session
)

// NewSignInMetrics registers the metrics.
func NewSignInMetrics(r prometheus.Registerer) *SignInMetrics {
	m := &SignInMetrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_api_sign_ins_total", Help: "Sign-ins at an OpenID Connect issuer that have ended, by outcome.",
	}, []string{"outcome"})}
	for _, outcome := range append([]openid.Reason{signedIn, notRecorded}, openid.Reasons...) {
		m.outcomes.WithLabelValues(string(outcome))
	}
	r.MustRegister(m.outcomes)
	return m
}

// localPath matches the paths to which a sign-in may lead: of this site, in printable ASCII.
var localPath = regexp.MustCompile(`^/([!-.0-\[\]-~][!-\[\]-~]*)?$`)

const maxLocalPath = nhip.MaxText // bytes; the path is in a cookie

// checkLocalPath returns an error for a path that leads elsewhere, or to another sign-in.
func checkLocalPath(to string) error {
	if len(to) > maxLocalPath || !localPath.MatchString(to) || strings.HasPrefix(to, "/sign-in") {
		return nhip.Errorf(nhip.CodeInvalid, "to",
			"must be a path of this site, other than /sign-in, of at most %d printable ASCII characters", maxLocalPath)
	}
	return nil
}

var errNoIssuer = nhip.Errorf(nhip.CodeNotFound, "", "this api has no issuer at which staff sign in (access.oidc)")

// beginSignIn answers GET /sign-in/oidc: the browser goes to the issuer.
func (h *Handler) beginSignIn(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "to")
	to := q.Text("to")
	if to == "" {
		to = "/"
	}
	if q.Err != nil {
		return q.Err
	}
	if err := checkLocalPath(to); err != nil {
		return err
	}
	if h.OpenID == nil {
		return errNoIssuer
	}
	address, state, err := h.OpenID.Begin(r.Context(), h.BaseURL(r)+callbackPath, to)
	if err != nil {
		return h.refuseSignIn(w, err)
	}
	h.setState(w, state, int(openid.StateLife/time.Second))
	w.Header().Set("Cache-Control", rest.NoStore)
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, address, http.StatusFound)
	return nil
}

// setState sets the cookie with the state of a sign-in. The issuer sends the browser back from another site, which
// SameSite=Strict would not survive.
func (h *Handler) setState(w http.ResponseWriter, state string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: stateCookie, Value: state, Path: signInPath, MaxAge: seconds, HttpOnly: true, Secure: h.Secure,
		SameSite: http.SameSiteLaxMode,
	})
}

// finishSignIn answers GET /sign-in/oidc/callback: the issuer sends the browser back. Its parameters are the issuer's,
// which may have more than those that are used.
func (h *Handler) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	if h.OpenID == nil {
		return errNoIssuer
	}
	state := ""
	if cookie, err := r.Cookie(stateCookie); err == nil {
		state = cookie.Value
	}
	who, to, err := h.OpenID.Finish(r.Context(), h.BaseURL(r)+callbackPath, state, r.URL.Query())
	if err == nil {
		err = h.checkZones(&who)
	}
	if err != nil {
		return h.refuseSignIn(w, err)
	}
	h.setState(w, "", -1)
	session := nhip.Session{
		Name: who.Name, Role: who.Role, Scope: who.Scope, Way: nhip.SessionByAccount, Account: who.Account,
		Rules: who.Rules,
	}
	if err := h.SignIn(w, r, session, h.OpenID.SessionLength()); err != nil {
		return h.refuseSignIn(w, err)
	}
	h.SignIns.outcomes.WithLabelValues(signedIn).Inc()
	w.Header().Set("Cache-Control", rest.NoStore)
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// checkZones refuses somebody whose rule names a zone that the map has not: the session would have ended already.
func (h *Handler) checkZones(who *openid.Person) error {
	for _, zone := range who.Scope.Zones {
		if !h.Zones.HasZone(zone) {
			return &openid.Refusal{Reason: openid.NoRule, Err: errors.New("there is no zone " + zone)}
		}
	}
	return nil
}

// refuseSignIn answers a sign-in that failed with a page.
func (h *Handler) refuseSignIn(w http.ResponseWriter, err error) error {
	outcome := notRecorded
	var refusal *openid.Refusal
	switch {
	case errors.As(err, &refusal):
		outcome = string(refusal.Reason)
	case nhip.ErrorCode(err) != nhip.CodeUnavailable:
		return err
	}
	h.SignIns.outcomes.WithLabelValues(outcome).Inc()
	h.Logger.Info("nobody was signed in", "reason", outcome, "error", err)
	if outcome != string(openid.NoState) { // which another window may still need
		h.setState(w, "", -1)
	}
	return writeSignInPage(w, outcome)
}
