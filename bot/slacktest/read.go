package slacktest

// Conversation is a channel or direct message as one person finds it in their sidebar.
type Conversation struct {
	ID       string
	Kind     string // "channel", "im" or "mpim"
	Name     string // of a channel
	With     string // of an im: the user id of the other side, the bot
	Private  bool
	Archived bool
	Member   bool
	Members  []string
}

// Channels lists the conversations that a person can open, in the order they were made.
func (w *Workspace) Channels(userID string) []Conversation {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.users[userID]
	if u == nil {
		return nil
	}
	var out []Conversation
	for _, id := range w.chanIDs {
		c := w.channels[id]
		if !canSee(u, c) {
			continue
		}
		one := Conversation{
			ID: c.ID, Kind: string(c.kind), Name: c.Name, Private: c.Private, Archived: c.Archived, Member: c.has(userID),
			Members: append([]string{}, c.Members...),
		}
		if c.kind == kindIM {
			one.With = w.cfg.BotUserID
		}
		out = append(out, one)
	}
	return out
}

// Messages lists what stands in a conversation outside threads, oldest first; broadcast replies are among it.
func (w *Workspace) Messages(channelID string) []Message {
	return w.read(channelID, func(m *message) bool { return !m.isReply() || m.Broadcast })
}

// Thread lists a message and its replies, oldest first.
func (w *Workspace) Thread(channelID, ts string) []Message {
	return w.read(channelID, func(m *message) bool { return m.TS == ts || m.ThreadTS == ts })
}

func (w *Workspace) read(channelID string, wanted func(*message) bool) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.channels[channelID]
	if c == nil {
		return nil
	}
	var out []Message
	for _, m := range c.messages {
		if wanted(m) {
			out = append(out, m.shown())
		}
	}
	return out
}

// Message returns one message of a conversation and whether it is there.
func (w *Workspace) Message(channelID, ts string) (Message, bool) {
	found := w.read(channelID, func(m *message) bool { return m.TS == ts })
	if len(found) == 0 {
		return Message{}, false
	}
	return found[0], true
}

// Ephemerals lists what only this person sees, oldest first.
func (w *Workspace) Ephemerals(userID string) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Message
	for _, m := range w.ephemerals[userID] {
		out = append(out, m.shown())
	}
	return out
}

// Modals lists the modals that a person has open; the last one is on top.
func (w *Workspace) Modals(userID string) []View {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []View
	for _, v := range w.stacks[userID] {
		out = append(out, v.shown())
	}
	return out
}

// Modal returns the modal on top and whether there is one.
func (w *Workspace) Modal(userID string) (View, bool) {
	stack := w.Modals(userID)
	if len(stack) == 0 {
		return View{}, false
	}
	return stack[len(stack)-1], true
}

// Home returns what the app published to a person's Home tab and whether it did.
func (w *Workspace) Home(userID string) (View, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	home := w.homes[userID]
	if home == nil {
		return View{}, false
	}
	return home.shown(), true
}
