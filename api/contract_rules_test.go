package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nhip"
	"nhip/api/access"

	"github.com/getkin/kin-openapi/openapi3"
)

// eachOperation calls f with every operation of the contract.
func eachOperation(t *testing.T, f func(doc *openapi3.T, method, path string, o *openapi3.Operation)) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			f(doc, method, path, o)
		}
	}
}

// ascii matches what generators of clients make names of.
var ascii = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

func TestContractDescribesEveryOperationInFull(t *testing.T) {
	ids := make(map[string]bool)
	eachOperation(t, func(doc *openapi3.T, method, path string, o *openapi3.Operation) {
		at := method + " " + path
		if !ascii.MatchString(doc.Info.Title) || !ascii.MatchString(o.OperationID) || ids[o.OperationID] {
			t.Errorf("%s: the title %q or the operationId %q is no name, or not its own", at, doc.Info.Title, o.OperationID)
		}
		ids[o.OperationID] = true
		if o.Summary == "" || o.Description == "" || len(o.Tags) == 0 {
			t.Errorf("%s: no summary, description or tag", at)
		}
		for _, tag := range o.Tags {
			if doc.Tags.Get(tag) == nil {
				t.Errorf("%s: the tag %s is not described", at, tag)
			}
		}
		for _, p := range o.Parameters {
			s := p.Value.Schema.Value
			_, cursor := p.Value.Extensions["x-cursor"]
			free := len(s.Enum) == 0 && s.Default == nil && s.Type.Is(openapi3.TypeString)
			if p.Value.Description == "" || free && !cursor && p.Value.Example == nil && s.Example == nil {
				t.Errorf("%s: the parameter %s has no description or no example", at, p.Value.Name)
			}
		}
		checkErrors(t, at, o)
	})
}

// checkErrors checks that an operation describes the errors that follow from what it takes.
func checkErrors(t *testing.T, at string, o *openapi3.Operation) {
	t.Helper()
	want := []string{}
	if o.RequestBody != nil || o.Extensions["x-ignores-unknown"] == nil ||
		len(o.Parameters) > 0 && o.Extensions["x-errors-in-answers"] == nil {
		want = append(want, "400")
	}
	if o.RequestBody != nil {
		want = append(want, "413")
	}
	if o.Security != nil {
		want = append(want, "401", "429")
		if !slices.ContainsFunc(*o.Security, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 }) {
			want = append(want, "403")
		}
	}
	for _, status := range want {
		if o.Responses.Value(status) == nil {
			t.Errorf("%s: the error %s is not described", at, status)
		}
	}
	for status, answer := range o.Responses.Map() {
		isProblem := answer.Value.Content["application/problem+json"] != nil
		if status >= "400" && !isProblem && status != "416" && !(status == "503" && strings.HasSuffix(at, "/readyz")) {
			t.Errorf("%s: the error %s is no problem", at, status)
		}
	}
}

// TestRolesOfContractAreThoseOfRouter calls every operation in every role. Those that the contract does not name are
// refused, and no others. Devices are no role: the gateway refuses what is not theirs.
func TestRolesOfContractAreThoseOfRouter(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.PublicMetrics = false })
	ended, cancel := context.WithCancel(t.Context())
	cancel() // ends streams at once
	eachOperation(t, func(_ *openapi3.T, method, path string, o *openapi3.Operation) {
		if strings.HasPrefix(path, "/in/") {
			return
		}
		ctx := t.Context()
		if answer := o.Responses.Value("200"); answer != nil && answer.Value.Content["text/event-stream"] != nil {
			ctx = ended
		}
		roles, _ := o.Extensions["x-roles"].([]any)
		for _, role := range nhip.Roles {
			r := httptest.NewRequest(method, strings.NewReplacer("{", "", "}", "").Replace(path), nil).WithContext(ctx)
			r = access.WithCaller(r, access.Caller{Role: role}, access.Allowed)
			w := httptest.NewRecorder()
			a.server.Handler.ServeHTTP(w, r)
			refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden
			if named := slices.Contains(roles, any(string(role))); named == refused {
				t.Errorf("%s %s as %s: %d, and x-roles of the contract has %v", method, path, role, w.Code, roles)
			}
		}
	})
}
