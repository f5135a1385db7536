from tests import forks


def test_no_public_function_lets_a_wrong_tensor_through():
    done = forks.run(forks.FORK, forks.module, "tests.nn.wrong_tensors", "--without-kernels")
    lines = done.stdout.splitlines()
    wrong = [line for line in lines if line.startswith("!")]
    assert not wrong, "\n".join(wrong[:20])
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    assert int(lines[-1].removeprefix("calls: ")) > 2000
