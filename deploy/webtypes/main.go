// Command webtypes writes the types of the API for the web map: api/web/src/openapi.ts, from api/openapi.yaml. Run it
// in the root of the repository. A test fails if the file is not up to date.
package main

import (
	"fmt"
	"os"
)

// The files that are read and written.
const (
	contractFile = "api/openapi.yaml"
	typesFile    = "api/web/src/openapi.ts"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "webtypes:", err)
		os.Exit(1)
	}
}

func run() error {
	contract, err := os.ReadFile(contractFile)
	if err != nil {
		return err
	}
	types, err := typesOf(contract)
	if err != nil {
		return err
	}
	return os.WriteFile(typesFile, types, 0o644)
}
