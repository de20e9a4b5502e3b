package main

import (
	_ "embed"
	"io"
)

// thirdParty are the licences of the software in our programs, see deploy/notices.
//
//go:embed THIRD_PARTY_NOTICES
var thirdParty string

// licensesCmd is nhip licenses.
type licensesCmd struct{}

// ownLicense is the licence of nhip itself.
const ownLicense = "Nhịp is licensed under the Apache License, Version 2.0: " +
	"https://www.apache.org/licenses/LICENSE-2.0\n\n"

// Run prints the licences.
func (*licensesCmd) Run(e *env) error {
	_, err := io.WriteString(e.stdout, ownLicense+thirdParty)
	return err
}
