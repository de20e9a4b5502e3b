package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// module is what go list says about a module.
type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// goModules returns the modules of which a program contains packages.
func goModules(program, dir, target string) ([]component, error) {
	list := exec.Command("go", "list", "-deps", "-json=Module", target)
	list.Dir = dir
	list.Stderr = os.Stderr
	// The same answer on every machine.
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	raw, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("can't list the modules of %s: %w", program, err)
	}
	seen := make(map[string]bool)
	var all []component
	for d := json.NewDecoder(bytes.NewReader(raw)); ; {
		var p struct{ Module *module }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		m := p.Module
		if m == nil || m.Main || seen[m.Path] || m.Replace != nil { // replaced ones are in our repository
			continue
		}
		seen[m.Path] = true
		text, err := moduleLicence(m)
		if err != nil {
			return nil, err
		}
		all = append(all, component{m.Path, m.Version, "golang", []string{program}, classify(text), text})
	}
}

// moduleLicence returns the licence of a module: of its folder, or of a folder above in the same repository.
func moduleLicence(m *module) (string, error) {
	text, err := licenceFiles(m.Dir)
	if err == nil && text == "" {
		text = known[m.Path]
	}
	if err == nil && text == "" {
		err = fmt.Errorf("%s has no licence in %s", m.Path, m.Dir)
	}
	return text, err
}

// known are licences of modules that contain no licence file, from their repositories.
var known = map[string]string{
	"github.com/apache/arrow/go/arrow": "Apache Arrow\nCopyright 2016-2019 The Apache Software Foundation\n\n" +
		"Licensed under the Apache License, Version 2.0; the text is at\nhttps://www.apache.org/licenses/LICENSE-2.0 " +
		"and below.",
	"github.com/bmizerany/pat":            mit("Copyright (C) 2012 by Keith Rarick, Blake Mizerany"),
	"github.com/influxdata/line-protocol": mit("Copyright (c) 2013-2018 InfluxData Inc."),
}

// mit returns the text of the MIT licence.
func mit(copyright string) string {
	return copyright + `

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.`
}

// goItself returns the standard library, which is in every Go program.
func goItself() ([]component, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	dir := strings.TrimSpace(string(root))
	text, err := licenceFiles(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && text == "" {
		return nil, fmt.Errorf("no licence in %s", dir)
	}
	version := strings.TrimPrefix(runtime.Version(), "go")
	if minor := strings.Split(version, "."); len(minor) > 2 {
		version = strings.Join(minor[:2], ".") // a patch must not make the files stale
	}
	return []component{{"std", version, "golang", []string{"influxd", "nhip"}, classify(text), text}}, err
}

// npmPackages returns the libraries that are part of the web map: those of the lock file that are not for development.
func npmPackages(dir string) ([]component, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Version, License string
			Dev              bool
		}
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		return nil, err
	}
	var all []component
	for path, p := range lock.Packages {
		if path == "" || p.Dev || strings.Contains(path, "node_modules/@types/") {
			continue
		}
		name := path[strings.LastIndex(path, "node_modules/")+len("node_modules/"):]
		text, err := licenceFiles(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			return nil, fmt.Errorf("the libraries of the web map are not installed, run npm ci in %s: %w", dir, err)
		}
		licence := p.License
		if licence == "" {
			licence = npmLicences[name]
		}
		if text == "" {
			text = "The package contains no text of its licence, " + licence + "."
		}
		all = append(all, component{name, p.Version, "npm", []string{"web map"}, licence, text})
	}
	return all, nil
}

// npmLicences are licences of packages that name none in their package.json, from their repositories.
var npmLicences = map[string]string{"@mapbox/jsonlint-lines-primitives": "MIT"}
