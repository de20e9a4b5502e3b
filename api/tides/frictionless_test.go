package tides_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// validate lets frictionless check the package of tables by the schemas in TESTDATA_DIR. NHIP_FRICTIONLESS is the path
// of its command, which .ci/tides sets; without it nothing is done.
func validate(t *testing.T, all map[string]table, descriptor map[string]any) {
	t.Helper()
	command := os.Getenv("NHIP_FRICTIONLESS")
	if command == "" {
		return
	}
	dir := t.TempDir()
	for name, x := range all {
		f, err := os.Create(filepath.Join(dir, name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		w := csv.NewWriter(f)
		if err := w.WriteAll(append([][]string{x.header}, x.rows...)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		copySchema(t, dir, name+".schema.json")
	}
	copySchema(t, dir, profile)
	descriptor["profile"] = profile // as those of the tables, without the network
	for _, r := range descriptor["resources"].([]any) {
		resource := r.(map[string]any)
		resource["schema"] = resource["name"].(string) + ".schema.json"
	}
	raw, err := json.Marshal(descriptor)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "datapackage.json"), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	validate := exec.CommandContext(t.Context(), command, "validate", "datapackage.json")
	validate.Dir = dir
	out, err := validate.CombinedOutput()
	if t.Logf("frictionless: %s", out); err != nil {
		t.Error(err)
	}
}

// profile is the file with the schema of the descriptor.
const profile = "tides-datapackage-profile.json"

// copySchema copies a file of the specification.
func copySchema(t *testing.T, dir, name string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(os.Getenv("TESTDATA_DIR"), "schemas", "tides", name))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
