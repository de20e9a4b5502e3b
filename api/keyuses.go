package api

import (
	"context"
	"log/slog"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/actions"
	"nhip/internal/wait"
)

// keyUseEvery is the interval in which the uses of keys are published, each at most once an hour.
const keyUseEvery = time.Minute

// keyUses publishes when keys were used last.
type keyUses struct {
	keyring   *access.Keyring
	documents *actions.Documents
	actions   *actions.Client
	log       *slog.Logger
}

// run publishes until ctx ends.
func (u *keyUses) run(ctx context.Context) error {
	for {
		if err := wait.Sleep(ctx, keyUseEvery); err != nil {
			return err
		}
		if !u.documents.Complete() {
			continue
		}
		for id, actor := range u.keyring.Unpublished() {
			d := nhip.Document{Kind: nhip.DocumentKeyUse, ID: id, Object: "key/" + id}
			_, err := u.actions.SetJSON(ctx, d, nhip.KeyUse{Time: u.keyring.LastUse(id)}, actor)
			if err != nil {
				u.log.Warn("the use of a key is not published", "key", id, "error", err)
				break // the collectors are away
			}
		}
	}
}
