package scope

import "context"

type viewKey struct{}

// With returns a context that carries what a caller sees, for models that are asked for objects by their ids.
func With(ctx context.Context, v View) context.Context { return context.WithValue(ctx, viewKey{}, v) }

// Of returns what the caller of a context sees: everything if the context does not say.
func Of(ctx context.Context) View {
	v, _ := ctx.Value(viewKey{}).(View)
	return v
}

// Unlimited reports whether the caller sees everything.
func (v View) Unlimited() bool { return !v.limits.LimitsStations() && !v.limits.LimitsAgencies() }
