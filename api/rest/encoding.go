package rest

import "strings"

// AcceptsEncoding reports whether an Accept-Encoding header contains an encoding with a weight other than 0.
func AcceptsEncoding(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, weighted := strings.Cut(part, ";")
		if strings.TrimSpace(name) != encoding {
			continue
		}
		q, _ := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
		return !weighted || strings.Trim(q, "0.") != ""
	}
	return false
}

// ETagMatches reports whether an If-None-Match header contains an ETag or "*". Weak ETags match, too.
func ETagMatches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == etag || part == "*" {
			return true
		}
	}
	return false
}
