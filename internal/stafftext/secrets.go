package stafftext

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
)

// Secret is a secret that is shown once: the fleet file holds its hash only.
type Secret struct {
	ID     string `json:"id"`
	Secret string `json:"secret,omitempty"` // empty: the device presents a certificate
}

// Secrets prints secrets to out, and to notes what to know about them: of one device as lines of text, of a table as a
// table, or as JSON objects.
func Secrets(out, notes io.Writer, all []Secret, asJSON, asTable bool) error {
	shown := ""
	if len(all) > 0 && all[0].Secret != "" {
		shown = "; the secret is shown only once"
	}
	switch {
	case asJSON:
		lines := json.NewEncoder(out)
		for _, s := range all {
			if err := lines.Encode(s); err != nil {
				return err
			}
		}
		return nil
	case asTable:
		fmt.Fprintf(notes, "%d devices added: the id is the user name and the MQTT client id%s\n", len(all), shown)
		w := csv.NewWriter(out)
		_ = w.Write([]string{"id", "secret"}) // its error is that of Flush
		for _, s := range all {
			_ = w.Write([]string{s.ID, s.Secret})
		}
		w.Flush()
		return w.Error()
	}
	for _, s := range all {
		fmt.Fprintf(notes, "the id is the user name and the MQTT client id%s\n", shown)
		fmt.Fprintf(out, "id: %s\n", s.ID)
		if s.Secret != "" {
			if _, err := fmt.Fprintf(out, "secret: %s\n", s.Secret); err != nil {
				return err
			}
		}
	}
	return nil
}
