package pagerdutytest

import "crypto/rand"

// drawFeed adds the addresses of a user's calendar. Whoever has them reads it: they are credentials.
func (a *Account) drawFeed(o obj, user string) {
	feed := "webcal.pagerduty.com/private/" + a.icalKeys[user] + "/feed"
	o["http_cal_url"], o["web_cal_url"] = "https://"+feed, "webcal://"+feed
}

// regenerateKey makes the addresses of a user's calendar that are about worthless. With the token of a user who is no
// admin it does so for that user alone.
func regenerateKey(c *call) reply {
	id := c.r.PathValue("id")
	if c.live(id) == nil {
		return notFound()
	}
	if me := c.live(c.who.userID); me != nil && me.ID != id && me.Role != Admin && me.Role != Owner {
		return forbidden("Only admins may regenerate the key of another user")
	}
	c.icalKeys[id] = rand.Text()
	c.bump()
	return ok(obj{"private_url_key": c.icalKeys[id]})
}

// CalendarKey returns the secret in the addresses of a user's calendar, empty when there is no such user.
func (a *Account) CalendarKey(user string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.icalKeys[user]
}
