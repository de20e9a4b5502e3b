package running

import (
	"context"
	"errors"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/wait"
)

// Timing of the wait until a running nhip has taken a removal in.
const (
	inForceWithin = 5 * time.Second
	inForcePoll   = 200 * time.Millisecond
)

// AwaitRemoved waits, for a short time, until the API answers for each of the devices that the fleet does not contain
// it. It returns the first device for which it has not, or "".
func AwaitRemoved(ctx context.Context, api *client.Client, devices []string) string {
	ctx, cancel := context.WithTimeout(ctx, inForceWithin)
	defer cancel()
	for _, id := range devices {
		for !isRemoved(ctx, api, id) {
			if wait.Sleep(ctx, inForcePoll) != nil {
				return id
			}
		}
	}
	return ""
}

func isRemoved(ctx context.Context, api *client.Client, id string) bool {
	_, err := api.Device(ctx, id)
	var problem *nhip.Error
	return errors.As(err, &problem) && problem.Code == nhip.CodeNotFound
}
