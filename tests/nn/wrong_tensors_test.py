import subprocess
import sys


def test_no_public_function_lets_a_wrong_tensor_through():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.nn.wrong_tensors", "--without-kernels"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    lines = done.stdout.splitlines()
    wrong = [line for line in lines if line.startswith("!")]
    assert not wrong, "\n".join(wrong[:20])
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    assert int(lines[-1].removeprefix("calls: ")) > 2000
