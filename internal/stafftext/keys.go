package stafftext

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"nhip"
	"nhip/client"
)

// Keys prints keys as a table.
func Keys(w io.Writer, keys []client.Key) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tNAME\tROLE\tSCOPE\tEXPIRES\tLAST USE")
	for i := range keys {
		k := &keys[i]
		expires, used := "never", "never"
		if !k.Expires.IsZero() {
			expires = stamp(k.Expires)
		}
		if k.Expired {
			expires += " (expired)"
		}
		if !k.LastUse.IsZero() {
			used = stamp(k.LastUse)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Role, ScopeText(k.Scope), expires, used)
	}
	return t.Flush()
}

// ScopeText returns a scope as one word for each thing in it, "all" if it limits nothing.
func ScopeText(s nhip.Scope) string {
	var parts []string
	for _, list := range []struct {
		kind  string
		names []string
	}{{"zone", s.Zones}, {"area", s.Areas}, {"station", s.Stations}, {"agency", s.Agencies}} {
		for _, name := range list.names {
			parts = append(parts, list.kind+":"+name)
		}
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, " ")
}

// KeySecret prints the secret of a key to out, alone, and what it is to notes.
func KeySecret(out, notes io.Writer, k *client.Key) error {
	fmt.Fprintf(notes, "key %s of %s, %s, scope %s; the secret is shown only now\n", k.ID, k.Name, k.Role,
		ScopeText(k.Scope))
	_, err := fmt.Fprintln(out, k.Secret)
	return err
}
