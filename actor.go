package nhip

// Actor is who makes a user action.
type Actor struct {
	Name string `json:"name"`          // of a person or a program
	Key  string `json:"key,omitempty"` // id of the key or of the account, "" without one
	Role Role   `json:"role"`
}

// Validate checks a. It returns an *Error that names the field.
func (a *Actor) Validate() error {
	if err := CheckID("actor.name", a.Name); err != nil {
		return err
	}
	if err := CheckText("actor.key", a.Key); err != nil {
		return err
	}
	if !a.Role.Known() {
		return Errorf(CodeOutOfRange, "actor.role", "must be one of %v, got %q", Roles, string(a.Role))
	}
	return nil
}
