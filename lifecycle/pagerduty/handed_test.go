package pagerduty

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// What rolecall does not write goes back with every byte that came.
func TestObjectKeepsEveryByte(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"order and numbers":        `{"z":1.50,"a":1e400,"m":{"b":[1,2,{"c":null}],"a":true}}`,
		"escapes and markup":       `{"name":"A \u003c B & C <d> \u00e9 é \/ \"","url":"https://x/?a=1&b=2"}`,
		"fields that nobody knows": `{"id":"P1","hypercube":{"w":[[[]]]},"":0}`,
		"nothing":                  `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := parseObject([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(encode(o)); got != text {
				t.Errorf("got  %s\nwant %s", got, text)
			}
			if got := string(encode(o.with("new", 1).with("new", 2).without("new"))); got != text {
				t.Errorf("after a field came and went: got %s\nwant %s", got, text)
			}
		})
	}
	for name, text := range map[string]string{"a list": `[1]`, "a text": `"x"`, "cut short": `{"a":`, "two values": `{"a":1}{`} {
		if o, err := parseObject([]byte(text)); err == nil {
			t.Errorf("%s was read as %s", name, encode(o))
		}
	}
}

// The address of a calendar feed is a key: it is not kept.
func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	const feed = `"http_cal_url":"https://webcal.example.com/private/SECRET","web_cal_url":"webcal://webcal.example.com/private/SECRET"`
	for name, tt := range map[string]struct{ is, want string }{
		"of the schedule": {`{"schedule":{"id":"P1",` + feed + `,"n":1.50}}`, `{"schedule":{"id":"P1","n":1.50}}`},
		"of somebody":     {`{"a":[{"user":{` + feed + `,"id":"P2"}},7,"web_cal_url"]}`, `{"a":[{"user":{"id":"P2"}},7,"web_cal_url"]}`},
		"none":            {`{ "a" : [ 1 ] }`, `{ "a" : [ 1 ] }`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := withoutSecrets([]byte(tt.is))
			if err != nil || string(got) != tt.want {
				t.Errorf("kept %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// byChance runs f with many sources of chance, each of which it can name.
func byChance(t *testing.T, f func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	for seed := range uint64(300) {
		f(t, rand.New(rand.NewPCG(seed, 0))) //nolint:gosec // chance that can be repeated is what is wanted
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

func people(r *rand.Rand, n int) []string {
	all := []string{"PLEAVER", "PA", "PB", "PC", "PD", "PE"}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:n]
}

func parsed(t *testing.T, text string) object {
	t.Helper()
	o, err := parseObject([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

func anyPolicy(t *testing.T, r *rand.Rand) object {
	t.Helper()
	var rules []string
	for i := range 1 + r.IntN(4) {
		var targets []string
		for _, u := range people(r, 1+r.IntN(4)) {
			targets = append(targets, fmt.Sprintf(`{"id":%q,"type":"user_reference"}`, u))
		}
		if r.IntN(2) == 0 {
			targets = append(targets, `{"id":"PSCHED","type":"schedule_reference","summary":"A & B"}`)
		}
		rules = append(rules, fmt.Sprintf(`{"id":"R%d","escalation_delay_in_minutes":%d,"targets":[%s],"escalation_rule_assignment_strategy":"round_robin","later":[%d]}`, i, i+5, strings.Join(targets, ","), i))
	}
	return parsed(t, `{"id":"P1","name":"<x>","num_loops":0,"escalation_rules":[`+strings.Join(rules, ",")+`],"teams":[]}`)
}

// In a policy nothing changes but one place at one level; no level is left empty; and back again it is what it was.
func TestHandLevelAnyPolicy(t *testing.T) {
	t.Parallel()
	byChance(t, func(t *testing.T, r *rand.Rand) {
		policy := anyPolicy(t, r)
		rules, err := policy.list("escalation_rules")
		if err != nil {
			t.Fatal(err)
		}
		n := 1 + r.IntN(len(rules))
		to := []string{"PNEW", "PA"}[r.IntN(2)]
		before, err := level(policy, n)
		if err != nil || !targetSpot().holds(before, "PLEAVER") {
			return
		}
		is, err := handLevel(policy, n, "PLEAVER", to)
		if err != nil {
			t.Fatal(err)
		}
		after, err := level(is, n)
		if err != nil || len(after) == 0 || targetSpot().holds(after, "PLEAVER") || !targetSpot().holds(after, to) {
			t.Errorf("level is %s, %v", encode(after), err)
		}
		others := func(o object) bool { u := targetSpot().user(o); return u == "PLEAVER" || u == to }
		if a, b := slices.DeleteFunc(slices.Clone(before), others), slices.DeleteFunc(slices.Clone(after), others); !bytes.Equal(encode(a), encode(b)) {
			t.Errorf("others were %s and are %s", encode(a), encode(b))
		}
		rest, err := withLevel(is, n, before)
		if err != nil || !bytes.Equal(encode(rest), encode(policy)) {
			t.Errorf("beside the level it is %s,\nwas %s", encode(rest), encode(policy))
		}
		back, err := handLevel(is, n, to, "PLEAVER")
		if !targetSpot().holds(before, to) && (err != nil || !bytes.Equal(encode(back), encode(policy))) {
			t.Errorf("back again it is %s,\nwas %s", encode(back), encode(policy))
		}
	})
}

var tick = time.Date(2026, 3, 4, 10, 30, 0, 0, time.UTC)

func anyLayers(t *testing.T, r *rand.Rand) object {
	t.Helper()
	zone := time.FixedZone("", -5*3600)
	var layers []string
	for i := range 1 + r.IntN(4) {
		var users []string
		for range 1 + r.IntN(5) {
			users = append(users, fmt.Sprintf(`{"user":{"id":%q,"type":"user_reference"}}`, people(r, 1)[0]))
		}
		end := []string{"null", `"` + tick.In(zone).Format(time.RFC3339) + `"`, `"` + tick.Add(time.Hour).In(zone).Format(time.RFC3339) + `"`}[r.IntN(3)]
		start := tick.Add(-time.Duration(r.IntN(1000)) * time.Minute).In(zone).Format(time.RFC3339)
		layers = append(layers, fmt.Sprintf(`{"id":"L%d","start":%q,"end":%s,"rotation_virtual_start":%q,"rotation_turn_length_seconds":86400,"users":[%s],"restrictions":[{"odd":%d}],"rendered_schedule_entries":[]}`, i, start, end, start, strings.Join(users, ","), i))
	}
	return parsed(t, `{"id":"P1","type":"schedule","time_zone":"America/New_York","schedule_layers":[`+strings.Join(layers, ",")+`],"users":[],"teams":[]}`)
}

func turnsOf(t *testing.T, schedule object) (all [][]string) {
	t.Helper()
	layers, err := schedule.list("schedule_layers")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		users, err := l.list("users")
		if err != nil {
			t.Fatal(err)
		}
		turns := []string{l.text("id")}
		for _, u := range users {
			turns = append(turns, turnSpot().user(u))
		}
		all = append(all, turns)
	}
	return all
}

// In layers every turn stays where it is, and no layer gets more or fewer; what is over is left alone; and back again it is
// what it was.
func TestHandLayersAnySchedule(t *testing.T) {
	t.Parallel()
	byChance(t, func(t *testing.T, r *rand.Rand) {
		schedule := anyLayers(t, r)
		current, err := layersOf(schedule, tick)
		if err != nil {
			t.Fatal(err)
		}
		schedule = schedule.with("schedule_layers", current)
		is, err := handLayers(schedule, "PLEAVER", "PNEW", tick)
		if err != nil {
			t.Fatal(err)
		}
		want := turnsOf(t, schedule)
		for _, turns := range want {
			for i := range turns {
				turns[i] = strings.Replace(turns[i], "PLEAVER", "PNEW", 1)
			}
		}
		if got := turnsOf(t, is); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("turns are %v, want %v", got, want)
		}
		back, err := handLayers(is, "PNEW", "PLEAVER", tick)
		if err != nil || !bytes.Equal(encode(back), encode(schedule)) {
			t.Errorf("back again it is %s,\nwas %s", encode(back), encode(schedule))
		}
		sentBothWays(t, is)
	})
}

// sentBothWays holds what is sent to the layers in one order or the other, with the same virtual start in UTC.
func sentBothWays(t *testing.T, schedule object) {
	t.Helper()
	one, err1 := sentSchedule(schedule, true, tick)
	other, err2 := sentSchedule(schedule, false, tick)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	a, b := turnsOf(t, one), turnsOf(t, other)
	slices.Reverse(a)
	if fmt.Sprint(a) != fmt.Sprint(b) || fmt.Sprint(b) != fmt.Sprint(turnsOf(t, schedule)) {
		t.Errorf("sent are %v and %v, want both of %v", a, b, turnsOf(t, schedule))
	}
	sent, err1 := other.list("schedule_layers")
	was, err2 := schedule.list("schedule_layers")
	if err1 != nil || err2 != nil || len(sent) != len(was) {
		t.Fatal(err1, err2)
	}
	for i := range sent {
		x, y := sent[i].text("rotation_virtual_start"), was[i].text("rotation_virtual_start")
		if !strings.HasSuffix(x, "Z") || !bytes.Equal(plain(encode(x)), plain(encode(y))) {
			t.Errorf("virtual start is %s, was %s", x, y)
		}
	}
}

func TestSpotsOfThoseTogether(t *testing.T) {
	t.Parallel()
	members := func(ids ...string) (all []object) {
		for _, id := range ids {
			all = append(all, memberSpot().given(object{}, id))
		}
		return all
	}
	for name, tt := range map[string]struct {
		was, want []object
		to        string
	}{
		"in the same place":     {members("A", "L", "B"), members("A", "N", "B"), "N"},
		"there already":         {members("A", "L", "B"), members("A", "B"), "B"},
		"nobody":                {members("A", "L"), members("A"), lifecycle.NoSuccessor},
		"twice, then once":      {members("L", "A", "L"), members("N", "A"), "N"},
		"only they":             {members("L"), members("N"), "N"},
		"not there at all":      {members("A"), members("A"), "N"},
		"only they, and nobody": {members("L"), nil, lifecycle.NoSuccessor},
	} {
		if got := memberSpot().once(tt.was, "L", tt.to); !sameMembers(got, tt.want) {
			t.Errorf("%s: %s, want %s", name, encode(got), encode(tt.want))
		}
	}
}
