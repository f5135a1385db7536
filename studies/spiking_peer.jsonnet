// MNIST with snnTorch's spiking neurons, trained as spiking/mnist_100_steps is.
local ours = import '../training_config/spiking/mnist_100_steps.jsonnet';
local layers = ours.model.network.layers;

ours {
  data_loader+: { batch_size: 32 },
  model: {
    type: 'snntorch_classifier',
    encoding: ours.model.encoding,
    loss: ours.model.loss,
    slope: 5.0,
    sizes: ours.model.network.input_shape + [layer.units for layer in layers],
    // in units of the threshold, where ours are in units of a spike's whole effect, over 8 steps
    weight_ranges: [layer.weight_range / layer.threshold / 8 for layer in layers],
  },
  trainer+: {
    optimizer+: { lr: 0.0001 },
    callbacks: [{ type: 'resumable' }, { type: 'last_epochs', number: 1 }],
  },
}
