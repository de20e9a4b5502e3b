package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	for text, want := range map[string]string{
		mit("Copyright (c) A"): "MIT",
		"Redistribution and use in source and binary forms … Neither the name of": "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":      "BSD-2-Clause",
		"GNU GENERAL PUBLIC LICENSE Version 3":                                    "",
		"Apache License\n   Version 2.0, January 2004":                            "Apache-2.0",
		"all rights reserved": "",
	} {
		if got := classify(text); got != want {
			t.Errorf("%.30q: %q, want %q", text, got, want)
		}
	}
}

func TestEqualTextsAreWrittenOnce(t *testing.T) {
	all := merge([]component{
		{"b", "v1", "golang", []string{"nhip"}, "MIT", mit("c")},
		{"a", "v1", "golang", []string{"nhip"}, "MIT", mit("c")},
		{"a", "v1", "golang", []string{"influxd"}, "MIT", mit("c")},
		{"@x/a", "1.0.0", "npm", []string{"web map"}, "ISC", "isc"},
	})
	text := string(notices(all))
	if len(all) != 3 || strings.Count(text, "Permission is hereby") != 1 ||
		!strings.Contains(text, "a v1 (MIT), in influxd, nhip") {
		t.Errorf("%d components:\n%s", len(all), text)
	}
	raw, err := billOfMaterials(all)
	var b bom
	if err != nil || json.Unmarshal(raw, &b) != nil || len(b.Components) != 3 ||
		b.Components[2].PURL != "pkg:npm/%40x/a@1.0.0" {
		t.Errorf("%v: %s", err, raw)
	}
}
