// Command notices writes the licences of everything that is in our programs: cmd/nhip/THIRD_PARTY_NOTICES, which
// nhip licenses prints, and deploy/sbom.cdx.json, a bill of materials in CycloneDX 1.5. It reads the module cache and
// the installed libraries of the web map, and needs no network. Run it in the root of the repository.
//
// With -check it writes nothing and fails if the files are not up to date, or if a licence is not one of those allowed.
package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The files that are written.
const (
	noticesFile = "cmd/nhip/THIRD_PARTY_NOTICES"
	sbomFile    = "deploy/sbom.cdx.json"
)

// component is a library in one of our programs.
type component struct {
	name, version string
	ecosystem     string   // of a package URL: golang or npm
	programs      []string // nhip, influxd, the web map
	licence       string   // SPDX expression
	text          string   // of the licence and notice files
}

func main() {
	check := flag.Bool("check", false, "fail if the files are not up to date")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	var all []component
	for _, find := range []func() ([]component, error){
		func() ([]component, error) { return goModules("nhip", ".", "./cmd/nhip") },
		func() ([]component, error) { return goModules("influxd", "deploy/influxd", ".") },
		func() ([]component, error) { return npmPackages("api/web") },
		goItself,
	} {
		found, err := find()
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	all = merge(all)
	var faults []error
	for i := range all {
		if !slices.Contains(allowed, all[i].licence) {
			faults = append(faults, fmt.Errorf("%s %s has the licence %q, which is not one of %s", all[i].name, all[i].version,
				all[i].licence, strings.Join(allowed, ", ")))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	sbom, err := billOfMaterials(all)
	if err != nil {
		return err
	}
	return errors.Join(update(noticesFile, notices(all), check), update(sbomFile, sbom, check))
}

// merge sorts components and joins those that several programs have.
func merge(all []component) []component {
	slices.SortStableFunc(all, func(a, b component) int {
		return cmp.Or(cmp.Compare(a.ecosystem, b.ecosystem), cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	})
	var out []component
	for _, c := range all {
		if n := len(out); n > 0 && out[n-1].ecosystem == c.ecosystem && out[n-1].name == c.name &&
			out[n-1].version == c.version {
			out[n-1].programs = append(out[n-1].programs, c.programs...)
			slices.Sort(out[n-1].programs)
			out[n-1].programs = slices.Compact(out[n-1].programs)
			continue
		}
		out = append(out, c)
	}
	return out
}

func update(path string, content []byte, check bool) error {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, content) {
		return nil
	}
	if check {
		return fmt.Errorf("%s is not up to date; run make notices", path)
	}
	return os.WriteFile(path, content, 0o644)
}

// licenceNames are the beginnings of the names of files with licences and notices.
var licenceNames = []string{"license", "licence", "copying", "notice", "edl", "epl"}

// licenceFiles returns the content of the licence and notice files in a folder.
func licenceFiles(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var texts []string
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if e.IsDir() || filepath.Ext(name) == ".go" || !slices.ContainsFunc(licenceNames, func(p string) bool {
			return strings.HasPrefix(name, p)
		}) {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		texts = append(texts, strings.TrimSpace(strings.ReplaceAll(string(raw), "\r\n", "\n")))
	}
	return strings.Join(texts, "\n\n"), nil
}
