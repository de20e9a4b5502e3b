package jsonscan

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestKeysAgainstAMap holds the set of an object's keys against the obvious one.
func TestKeysAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var k keys
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

func TestManyKeys(t *testing.T) {
	var k keys
	for round := range 2 {
		for i := range 5000 {
			if got := k.add(fmt.Appendf(nil, "k%d", i)); got != (round == 0) {
				t.Fatalf("round %d, key %d is new: %v", round, i, got)
			}
		}
	}
}
