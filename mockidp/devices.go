package mockidp

import (
	"crypto/rand"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
)

// The device flow's times and its codes are the mirrored server's defaults
// (DeviceFlowOptions.cs, Client.cs, NumericUserCodeGenerator.cs).
const (
	deviceLifetime = 5 * time.Minute
	deviceInterval = 5 * time.Second

	leastUserCode = 100_000_000
	userCodes     = 899_999_999 // how many there are from the least on
)

// maxDevices is how many requests of devices are kept. One more, and the oldest is
// forgotten: its device_code is then one that was never given.
const maxDevices = 1000

// devices keeps what devices asked for until they have their tokens. What is denied or has
// expired stays too, as it does with the mirrored server, which tells of it at each poll
// (InMemoryDeviceFlowStore.cs). The zero devices is ready to use and safe for concurrent
// use.
type devices struct {
	mu   sync.Mutex
	list []*device // oldest first
}

// device is one request of a device.
type device struct {
	code, userCode string
	client         string
	scopes         []string // as asked for, in this order
	asked          time.Time
	polled         time.Time // zero before the first time
	answered       bool
	user           *user // who approved; nil of one that is answered denied
}

// user is somebody who approved what a device asked for.
type user struct {
	subject string
	session string
	since   int64 // Unix seconds
}

// add keeps a request of a client, and returns its codes.
func (d *devices) add(client string, scopes []string, now time.Time) (code, userCode string) {
	// Copies: they are parts of the form that was sent, and all of that would be kept.
	one := &device{code: randomHex() + randomHex(), client: strings.Clone(client), asked: now}
	for _, scope := range scopes {
		one.scopes = append(one.scopes, strings.Clone(scope))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for one.userCode == "" || d.find(func(o *device) bool { return o.userCode == one.userCode }) != nil {
		n, _ := rand.Int(rand.Reader, big.NewInt(userCodes)) // never fails: see crypto/rand.Read
		one.userCode = n.Add(n, big.NewInt(leastUserCode)).String()
	}
	if len(d.list) == maxDevices {
		d.list = slices.Delete(d.list, 0, 1)
	}
	d.list = append(d.list, one)
	return one.code, one.userCode
}

// answer has the user of a user code approve, or nobody, which denies. The last answer
// counts (DefaultDeviceFlowInteractionService.cs). It returns what was asked for; ok is
// false where there is no such code.
func (d *devices) answer(userCode string, by *user) (scopes []string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.find(func(o *device) bool { return o.userCode == userCode })
	if one == nil {
		return nil, false
	}
	one.answered, one.user = true, by
	return one.scopes, true
}

// poll is one question of a client for the tokens of a device code: the device, which is
// forgotten then, or why there are none. The order of the checks is the mirrored server's
// (DeviceCodeValidator.cs, DistributedDeviceFlowThrottlingService.cs): each poll counts for
// the next one's interval, that of an answered or expired code too.
func (d *devices) poll(code, client string, now time.Time) (device, problem) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.find(func(o *device) bool { return o.code == code })
	if one == nil || one.client != client {
		return device{}, invalidGrant
	}
	last := one.polled
	one.polled = now
	switch {
	case !last.IsZero() && !now.Before(last) && now.Before(last.Add(deviceInterval)): // a mock's clock may go back
		return device{}, slowDown
	case now.After(one.asked.Add(deviceLifetime)):
		return device{}, expiredToken
	case one.answered && one.user == nil:
		return device{}, accessDenied
	case !one.answered:
		return device{}, authorizationPending
	}
	d.list = slices.DeleteFunc(d.list, func(o *device) bool { return o == one })
	return *one, ""
}

// scopes are those that were asked for with a device code.
func (d *devices) scopes(code string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one := d.find(func(o *device) bool { return o.code == code }); one != nil {
		return one.scopes
	}
	return nil
}

// clear forgets all.
func (d *devices) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = nil
}

// find must be called under the lock.
func (d *devices) find(match func(*device) bool) *device {
	if i := slices.IndexFunc(d.list, match); i >= 0 {
		return d.list[i]
	}
	return nil
}
