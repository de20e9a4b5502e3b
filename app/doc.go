// Package app runs the platform's roles in this process: each alone (Gateway, Collector, API) or all of them together
// (Up). It connects the roles to each other and to their surroundings. It parses no arguments, prints nothing and
// handles no signals: cmd/nhip does that.
//
//	role := app.Up(app.Options{DataDir: dir, Simulate: true})
//	if err := role.Start(ctx); err != nil {
//		return err
//	}
//	defer role.Stop(context.Background())
//	fmt.Println("the map is at", role.Addresses().HTTP)
package app
