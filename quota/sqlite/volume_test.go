package sqlite

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDriveOfAVolume(t *testing.T) {
	for volume, want := range map[string]string{
		`C:`:     `C:\`,
		`c:`:     `c:\`,
		`\\?\C:`: `C:\`,
		`\\.\C:`: `C:\`,
		`//?/C:`: `C:\`,
		`\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}`: `\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\`,
		`\\?\volume{b75e2c83}`:                             `\\?\volume{b75e2c83}\`,
		``:                                                 ``,
		`\\server\share`:                                   ``,
		`//server/share`:                                   ``,
		`\\localhost\c$`:                                   ``,
		`\\?\UNC\server\share`:                             ``,
		`\\.\UNC\server\share`:                             ``,
		`\\?\unc\server\share`:                             ``,
		`\\.\pipe`:                                         ``,
		`\\?\GLOBALROOT`:                                   ``,
		`\\wsl$\Debian`:                                    ``,
		`\\volume{b75e2c83}\share`:                         ``,
		`\??\C:`:                                           ``,
		`\\.\Volume{b75e2c83}`:                             ``,
		`\\?\HarddiskVolumeShadowCopy`:                     ``,
	} {
		assert.Equal(t, want, drive(volume), volume)
	}
}
