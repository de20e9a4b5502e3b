package accounts

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/openid"
)

//go:embed signin.html
var signInHTML string

var signInPage = template.Must(template.New("sign-in").Parse(signInHTML))

// signInPolicy lets the page load nothing: its style is part of it.
const signInPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'"

// retrySeconds is when to try again if the issuer or the collector is away.
const retrySeconds = "5"

// signInFault is what a page says about a sign-in that failed.
type signInFault struct {
	Status int
	Text   nhip.LocalizedText
	Retry  bool // trying again may help
}

var signInFaults = map[string]signInFault{
	string(openid.Away): {http.StatusServiceUnavailable, nhip.LocalizedText{
		Vi: "Dịch vụ đăng nhập của đơn vị hiện không trả lời. Xin thử lại sau ít phút.",
		En: "The sign-in service of your organisation does not answer. Please try again in a few minutes.",
	}, true},
	string(openid.Busy): {http.StatusServiceUnavailable, nhip.LocalizedText{
		Vi: "Có quá nhiều người đăng nhập cùng lúc. Xin thử lại sau ít giây.",
		En: "Too many people sign in at the same time. Please try again in a few seconds.",
	}, true},
	notRecorded: {http.StatusServiceUnavailable, nhip.LocalizedText{
		Vi: "Hiện chưa ghi được phiên đăng nhập. Xin thử lại sau ít phút.",
		En: "The session can't be recorded now. Please try again in a few minutes.",
	}, true},
	string(openid.NoState): {http.StatusBadRequest, nhip.LocalizedText{
		Vi: "Lần đăng nhập này đã hết hạn, hoặc được bắt đầu ở cửa sổ hay trình duyệt khác. Xin đăng nhập lại.",
		En: "This sign-in has expired, or began in another window or browser. Please sign in again.",
	}, true},
	string(openid.Denied): {http.StatusForbidden, nhip.LocalizedText{
		Vi: "Dịch vụ đăng nhập đã từ chối, hoặc bạn đã hủy đăng nhập.",
		En: "The sign-in service has refused, or you have cancelled.",
	}, true},
	string(openid.Invalid): {http.StatusForbidden, nhip.LocalizedText{
		Vi: "Câu trả lời của dịch vụ đăng nhập không hợp lệ, đã hết hạn hoặc đã dùng rồi. Xin đăng nhập lại.",
		En: "The answer of the sign-in service is not valid, has expired or is used already. Please sign in again.",
	}, true},
	string(openid.NoRule): {http.StatusForbidden, nhip.LocalizedText{
		Vi: "Tài khoản của bạn chưa được cấp quyền ở đây. Xin liên hệ người quản trị của đơn vị.",
		En: "Your account has no role here. Please ask the administrator of your organisation.",
	}, false},
}

// writeSignInPage answers with the page of an outcome.
func writeSignInPage(w http.ResponseWriter, outcome string) error {
	fault := signInFaults[outcome]
	var page bytes.Buffer
	if err := signInPage.Execute(&page, fault); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", rest.NoStore)
	h.Set("Content-Security-Policy", signInPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	if fault.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retrySeconds)
	}
	w.WriteHeader(fault.Status)
	_, _ = w.Write(page.Bytes()) // fails if the client disconnected
	return nil
}
