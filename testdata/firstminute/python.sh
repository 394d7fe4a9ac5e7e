# What somebody types who has a clone in $CLONE, an empty folder, and the Python, pip and
# pytest of a system that wants an environment for whatever else is installed.
make -C $CLONE install
python3 -m venv --system-site-packages --without-pip .venv && . .venv/bin/activate
hsharness init --for python --yes
python3 -m pytest tests # says: 1 passed

# That was the first test, offline. From here on it is bought, once, and replayed.

# The sandbox: a stand-in on this machine, which counts what it serves.
sed -i.old "s|^  sandbox:|  sandbox:\n    identity_url: $IDENTITY_URL\n    api_url: $API_URL|; s|^policy:|policy:\n  loopback: exempt|" hsharness.yaml
export HSHARNESS_SANDBOX_CLIENT_ID=hsharness-client HSHARNESS_SANDBOX_CLIENT_SECRET=hsharness-secret
hsharness quota init --granted 100

hsharness exec --mode record --max-spend 5 -- python3 -m pytest tests # says: spent 1 · 99 left
hsharness exec --mode record --max-spend 5 -- python3 -m pytest tests # says: spent 0 · replayed 1
hsharness exec --mode replay -- python3 -m pytest tests # says: replayed 1
HSHARNESS_MODE=replay python3 -m pytest tests # says: 1 passed
hsharness report --html report.html
hsharness quota status # says: 99
