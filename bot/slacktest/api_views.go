package slacktest

func (w *Workspace) viewsOpen(c *call) (object, error) {
	spec, err := w.checkView(c.args["view"], onModal)
	if err != nil {
		return nil, err
	}
	t, err := w.exchange(c.args["trigger_id"])
	if err != nil {
		return nil, err
	}
	if err := w.freeExternalID(str(spec, "external_id"), nil); err != nil {
		return nil, err
	}
	v := w.newView(t.user, spec)
	w.stacks[t.user] = nil // a new modal takes the place of what was open
	if err := w.push(v); err != nil {
		return nil, err
	}
	return object{"view": w.viewJSON(v)}, nil
}

func (w *Workspace) viewsPush(c *call) (object, error) {
	spec, err := w.checkView(c.args["view"], onModal)
	if err != nil {
		return nil, err
	}
	t, err := w.exchange(c.args["trigger_id"])
	if err != nil {
		return nil, err
	}
	if !t.modal || w.top(t.user) == nil {
		return nil, invalid("invalid_trigger_id", "views.push needs a trigger from inside an open modal")
	}
	if err := w.freeExternalID(str(spec, "external_id"), nil); err != nil {
		return nil, err
	}
	v := w.newView(t.user, spec)
	if err := w.push(v); err != nil {
		return nil, err
	}
	return object{"view": w.viewJSON(v)}, nil
}

func (w *Workspace) viewsUpdate(c *call) (object, error) {
	id, external := c.args["view_id"], c.args["external_id"]
	if (id == "") == (external == "") {
		return nil, invalid("invalid_arguments", "exactly one of view_id and external_id is required")
	}
	v := w.findView(func(v *view) bool {
		return (id != "" && v.id == id) || (external != "" && str(v.spec, "external_id") == external)
	})
	if v == nil {
		return nil, invalid("not_found", "the view is not open any more")
	}
	spec, err := w.checkView(c.args["view"], surface(v.kind))
	if err != nil {
		return nil, err
	}
	if hash := c.args["hash"]; hash != "" && hash != v.hash {
		return nil, invalid("hash_conflict")
	}
	if err := w.freeExternalID(str(spec, "external_id"), v); err != nil {
		return nil, err
	}
	w.fill(v, spec)
	w.bump()
	return object{"view": w.viewJSON(v)}, nil
}

func (w *Workspace) viewsPublish(c *call) (object, error) {
	u := w.users[c.args["user_id"]]
	if u == nil || u.Deleted {
		return nil, invalid("invalid_arguments", "invalid user_id "+c.args["user_id"]+" [json-pointer:/user_id]")
	}
	spec, err := w.checkView(c.args["view"], onHome)
	if err != nil {
		return nil, err
	}
	home := w.homes[u.ID]
	if hash := c.args["hash"]; hash != "" && (home == nil || hash != home.hash) {
		return nil, invalid("hash_conflict")
	}
	if home == nil {
		home = w.newView(u.ID, spec)
		w.homes[u.ID] = home
	} else {
		w.fill(home, spec)
	}
	w.bump()
	return object{"view": w.viewJSON(home)}, nil
}

// freeExternalID refuses an external id that another view has: it is unique in the workspace.
func (w *Workspace) freeExternalID(id string, except *view) error {
	if id == "" {
		return nil
	}
	if other := w.findView(func(v *view) bool { return v != except && str(v.spec, "external_id") == id }); other != nil {
		return invalid("duplicate_external_id")
	}
	return nil
}
