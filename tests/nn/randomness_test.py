import torch

from spigot_allennlp.nn.randomness import advance, random_bits, seeds

# the first outputs of SplitMix64 for the seed 1234567
PUBLISHED = [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_bits_of_tensors_are_those_of_the_published_generator():
    bits = random_bits(advance(torch.tensor(1234567), torch.arange(1, 4)))
    assert [number % 2**64 for number in bits.tolist()] == PUBLISHED


def test_seeds_are_sampled_by_torch():
    torch.manual_seed(5)
    first = seeds(4)
    assert len(set(first.tolist())) == 4
    torch.manual_seed(5)
    assert torch.equal(seeds(4), first)
