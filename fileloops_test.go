package nhip_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxFileLoop is how many files of a package may form a loop, each of which uses a name, a method or a field of the
// next one. Who changes one file of a loop may have to understand all of them.
const maxFileLoop = 8

// largerFileLoops are the packages that have a larger loop today. Such a loop must not grow.
var largerFileLoops = map[string]int{"nhip/collector/air": 11}

func TestFilesFormNoLargeLoops(t *testing.T) {
	packages, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	exports := make(map[string]string, len(packages))
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	checked := 0
	for _, p := range packages {
		if p.ImportPath != "nhip" && !strings.HasPrefix(p.ImportPath, "nhip/") {
			continue
		}
		uses, err := fileUses(fset, imports, p)
		if err != nil {
			t.Fatal(err)
		}
		checked++
		loop := largestLoop(uses)
		if limit := max(maxFileLoop, largerFileLoops[p.ImportPath]); len(loop) > limit {
			t.Errorf("%d files of %s form a loop, at most %d may: %s", len(loop), p.ImportPath, limit,
				strings.Join(loop, " "))
		}
	}
	if checked < 2 {
		t.Errorf("only %d packages are checked", checked)
	}
}

// listedPackage is a package as go list describes it.
type listedPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// listPackages returns our packages and those that they import, compiled.
func listPackages() (all []listedPackage, err error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// fileUses returns for each file of a package those files whose names, methods or fields it uses.
func fileUses(fset *token.FileSet, imports types.Importer, p listedPackage) (map[string][]string, error) {
	files := make([]*ast.File, len(p.GoFiles))
	for i, name := range p.GoFiles {
		var err error
		if files[i], err = parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution); err != nil {
			return nil, err
		}
	}
	info := types.Info{Uses: make(map[*ast.Ident]types.Object)}
	conf := types.Config{Importer: imports}
	pkg, err := conf.Check(p.ImportPath, fset, files, &info)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.ImportPath, err)
	}
	uses := make(map[string][]string, len(files))
	for _, name := range p.GoFiles {
		uses[name] = nil
	}
	for id, object := range info.Uses {
		if object.Pkg() != pkg || !isShared(object) {
			continue
		}
		from, to := fileOf(fset, id.Pos()), fileOf(fset, object.Pos())
		if from != to && !slices.Contains(uses[from], to) {
			uses[from] = append(uses[from], to)
		}
	}
	return uses, nil
}

// isShared reports whether an object is known outside the function that declares it.
func isShared(object types.Object) bool {
	switch o := object.(type) {
	case *types.Func:
		return true
	case *types.Var:
		return o.IsField() || o.Parent() == o.Pkg().Scope()
	}
	return object.Parent() == object.Pkg().Scope()
}

func fileOf(fset *token.FileSet, pos token.Pos) string {
	return filepath.Base(fset.Position(pos).Filename)
}

// largestLoop returns the largest set of files that reach each other, sorted.
func largestLoop(uses map[string][]string) (largest []string) {
	reached := make(map[string]map[string]bool, len(uses))
	for file := range uses {
		seen := make(map[string]bool)
		for queue := slices.Clone(uses[file]); len(queue) > 0; queue = queue[1:] {
			if next := queue[0]; !seen[next] {
				seen[next] = true
				queue = append(queue, uses[next]...)
			}
		}
		reached[file] = seen
	}
	for file := range uses {
		loop := slices.Sorted(maps.Keys(reached[file]))
		loop = slices.DeleteFunc(loop, func(other string) bool { return !reached[other][file] })
		if len(loop) > len(largest) {
			largest = loop
		}
	}
	return largest
}

// TestFileLoopIsFound gives the check files that use one another's names, fields and methods in a loop, and a file that
// only uses them.
func TestFileLoopIsFound(t *testing.T) {
	dir := t.TempDir()
	p := listedPackage{ImportPath: "loop", Dir: dir}
	for name, text := range map[string]string{
		"field.go":  "package loop\n\ntype A struct{ n int }\n\nvar start = first()\n",
		"method.go": "package loop\n\nfunc (a A) get() int { return a.n }\n",
		"name.go":   "package loop\n\nfunc first() int { return A{}.get() }\n",
		"user.go":   "package loop\n\nfunc all() int { n := start; return n + first() }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p.GoFiles = append(p.GoFiles, name)
	}
	fset := token.NewFileSet()
	uses, err := fileUses(fset, importer.Default(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got := largestLoop(uses); !slices.Equal(got, []string{"field.go", "method.go", "name.go"}) {
		t.Errorf("the loop is %q of %v", got, uses)
	}
	if got := largestLoop(map[string][]string{"a.go": {"b.go"}, "b.go": nil}); got != nil {
		t.Errorf("files without a loop form %q", got)
	}
}
