package jsonscan

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestKeySetMatchesMap compares a keySet with a map.
func TestKeySetMatchesMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var k keySet
		seen := make(map[string]bool)
		for range rapid.IntRange(0, 300).Draw(t, "adds") {
			key := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "key")
			if got := k.add([]byte(key)); got == seen[key] {
				t.Fatalf("%q after %d keys is new: %v", key, len(seen), got)
			}
			seen[key] = true
		}
	})
}

func TestKeySetGrows(t *testing.T) {
	var k keySet
	for round := range 2 {
		for i := range 5000 {
			if got := k.add(fmt.Appendf(nil, "k%d", i)); got != (round == 0) {
				t.Fatalf("round %d, key %d is new: %v", round, i, got)
			}
		}
	}
}
