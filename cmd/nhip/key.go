package main

import (
	"fmt"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/stafftext"
)

// keyCmd is nhip key.
type keyCmd struct {
	Add    keyAddCmd    `cmd:"" help:"Make a key and print its secret, which is shown only once."`
	List   keyListCmd   `cmd:"" help:"List the keys."`
	Rotate keyRotateCmd `cmd:"" help:"Replace the secret of a key; the id operator is the operator's token."`
	Remove keyRemoveCmd `cmd:"" help:"Remove a key; it stops at once."`
}

// keyAddCmd is nhip key add.
type keyAddCmd struct {
	operatorFlags

	Name    string   `arg:"" help:"Name of the person or program, for the audit."`
	Role    string   `help:"What it may do: app, viewer, analyst, dispatcher, operator or admin." required:""`
	ID      string   `help:"Id of the key; default: a new one."`
	Zone    []string `help:"Limit it to a zone, as in district/ba-dinh; may be repeated."`
	Area    []string `help:"Limit it to an area of the fleet file; may be repeated."`
	Station []string `help:"Limit it to a station; may be repeated."`
	Agency  []string `help:"Limit it to the buses and devices of an agency; may be repeated."`
	Expires moment   `help:"When it ends; default: never." placeholder:"TIME"`
}

// Run makes a key.
func (c *keyAddCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	expires, err := c.Expires.parse("expires", time.Time{})
	if err != nil {
		return err
	}
	scope := nhip.Scope{Zones: c.Zone, Areas: c.Area, Stations: c.Station, Agencies: c.Agency}
	key, err := o.AddKey(e.ctx, client.NewKey{
		ID: c.ID, Name: c.Name, Role: nhip.Role(c.Role), Scope: scope, Expires: expires,
	})
	if err != nil {
		return err
	}
	return stafftext.KeySecret(e.stdout, e.stderr, &key)
}

// keyListCmd is nhip key list.
type keyListCmd struct{ operatorFlags }

// Run lists the keys.
func (c *keyListCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	keys, err := o.Keys(e.ctx)
	if err != nil {
		return err
	}
	return stafftext.Keys(e.stdout, keys)
}

// keyRotateCmd is nhip key rotate.
type keyRotateCmd struct {
	operatorFlags

	ID string `arg:"" help:"Id of the key, or operator."`
}

// Run replaces the secret of a key.
func (c *keyRotateCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	key, err := o.RotateKey(e.ctx, c.ID)
	if err != nil {
		return err
	}
	return stafftext.KeySecret(e.stdout, e.stderr, &key)
}

// keyRemoveCmd is nhip key remove.
type keyRemoveCmd struct {
	operatorFlags

	ID string `arg:"" help:"Id of the key."`
}

// Run removes a key.
func (c *keyRemoveCmd) Run(e *env) error {
	o, err := c.connect()
	if err != nil {
		return err
	}
	key, err := o.RemoveKey(e.ctx, c.ID)
	if err == nil {
		fmt.Fprintf(e.stdout, "removed key %s of %s\n", key.ID, key.Name)
	}
	return err
}
