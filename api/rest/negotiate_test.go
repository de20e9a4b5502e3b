package rest

import "testing"

func TestAcceptedFormat(t *testing.T) {
	for accept, want := range map[string]string{
		"": FormatJSON, "*/*": FormatJSON, "text/*": FormatCSV, "TEXT/CSV": FormatCSV,
		"text/csv;q=0, application/json":   FormatJSON,
		"application/json;q=0.1, text/csv": FormatCSV, "text/csv;q=0.5, */*": FormatJSON, "image/png": "", "nonsense": "",
		"text/html,application/xhtml+xml,*/*;q=0.8": FormatJSON,
	} {
		if got := acceptedFormat(accept); got != want {
			t.Errorf("Accept %q: %q, want %q", accept, got, want)
		}
	}
}
