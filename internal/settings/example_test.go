package settings_test

import (
	"fmt"

	"nhip/internal/settings"
)

// A program declares its settings once: a key, a pointer to the default, and a rule. Reading a file sets the values and
// reports all faults with their positions, not only the first one.
func Example() {
	name, limit, retries := "depot", 0.5, int64(3)
	all := []settings.Setting{
		{Key: "name", Value: settings.Text(&name, settings.Name)},
		{Key: "poll.limit", Value: settings.Number(&limit, 0, 1)},
		{Key: "poll.retries", Value: settings.Count(&retries, 100)},
	}

	f := settings.NewFile("nhip.yaml")
	f.Read([]byte(`name: garage
poll:
  limit: 1.5
  retries: many
`), all, nil)

	fmt.Println(name, limit, retries) // a value that breaks its rule leaves the default unchanged
	fmt.Println(f.Faults.Sorted())
	// Output:
	// garage 0.5 3
	// nhip.yaml:3:10: poll.limit: must be between 0 and 1, got 1.5
	// nhip.yaml:4:12: poll.retries: must be a whole number between 0 and 100, got many
}
