package main

import "strings"

// allowed are the licences that we may distribute under Apache-2.0, with their notices.
var allowed = []string{
	"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "EPL-2.0 OR BSD-3-Clause",
	"(MIT OR Apache-2.0)", "CC0-1.0", "Unlicense",
}

// classify returns the SPDX expression of a licence's text, or "" if it is none that we know.
func classify(text string) string {
	t := strings.ToLower(strings.Join(strings.Fields(text), " "))
	has := func(part string) bool { return strings.Contains(t, part) }
	switch {
	case has("eclipse public license") && has("eclipse distribution license"):
		return "EPL-2.0 OR BSD-3-Clause"
	case has("mozilla public license") && has("2.0"):
		return "MPL-2.0"
	case has("gnu general public license") || has("gnu lesser general public license") || has("gnu affero"):
		return ""
	case has("apache license") && has("version 2.0"):
		return "Apache-2.0"
	case has("redistribution and use in source and binary forms"):
		if has("neither the name") || has("may not be used to endorse") || has("names of its contributors") {
			return "BSD-3-Clause"
		}
		return "BSD-2-Clause"
	case has("permission is hereby granted, free of charge"):
		return "MIT"
	case has("permission to use, copy, modify, and/or distribute") ||
		has("permission to use, copy, modify, and distribute"):
		return "ISC"
	case has("this is free and unencumbered software released into the public domain"):
		return "Unlicense"
	case has("cc0 1.0 universal"):
		return "CC0-1.0"
	}
	return ""
}
