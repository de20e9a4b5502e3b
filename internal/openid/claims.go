package openid

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"nhip"
)

// claims are what an issuer says about a person.
type claims map[string]any

// has reports whether a claim is a value, or a list with it. An email that the issuer has not verified is none: its
// owner may be somebody else.
func (c claims) has(claim, value string) bool {
	found, ok := c.find(claim)
	if !ok || claim == "email" && c.unverified() {
		return false
	}
	list, isList := found.([]any)
	if !isList {
		return textOf(found) == value
	}
	for _, v := range list {
		if textOf(v) == value {
			return true
		}
	}
	return false
}

// find returns a claim by its name, or else by the path that its name is.
func (c claims) find(name string) (any, bool) {
	if v, ok := c[name]; ok {
		return v, true
	}
	var at any = map[string]any(c)
	for part := range strings.SplitSeq(name, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = object[part]; !ok {
			return nil, false
		}
	}
	return at, true
}

func (c claims) unverified() bool {
	verified, told := c["email_verified"]
	return told && textOf(verified) != "true" // some issuers write it as a text
}

// textOf returns the text of a value that is a text or true or false, else "", which is no value of a rule.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// name returns what to call a person: the name, or else the email, or else the id at the issuer. "" if none can be one.
func (c claims) name() string {
	for _, claim := range []string{"name", "email", "sub"} {
		text, _ := c[claim].(string)
		text = strings.TrimSpace(text)
		if nhip.CheckID("name", text) == nil && (claim != "email" || !c.unverified()) {
			return text
		}
	}
	return ""
}

const accountBytes = 12

// accountOf returns the id of a person for the audit and for limits. It does not tell the id at the issuer.
func accountOf(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return "account:" + hex.EncodeToString(sum[:accountBytes])
}
