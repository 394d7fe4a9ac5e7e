# What somebody types who has a clone in $CLONE, an empty folder, and Node.
make -C $CLONE install
npm init -y
hsharness init --yes
node --test test/hsharness.test.mjs # says: pass 1

# That was the first test, offline. From here on it is bought, once, and replayed.

# The sandbox: a stand-in on this machine, which counts what it serves.
sed -i.old "s|^  sandbox:|  sandbox:\n    identity_url: $IDENTITY_URL\n    api_url: $API_URL|; s|^policy:|policy:\n  loopback: exempt|" hsharness.yaml
export HSHARNESS_SANDBOX_CLIENT_ID=hsharness-client HSHARNESS_SANDBOX_CLIENT_SECRET=hsharness-secret
hsharness quota init --granted 100

hsharness exec --mode record --max-spend 5 -- node --test test/hsharness.test.mjs # says: spent 1 · 99 left
hsharness exec --mode record --max-spend 5 -- node --test test/hsharness.test.mjs # says: spent 0 · replayed 1
hsharness exec --mode replay -- node --test test/hsharness.test.mjs # says: replayed 1
HSHARNESS_MODE=replay node --test test/hsharness.test.mjs # says: pass 1
hsharness report --html report.html
hsharness quota status # says: 99
