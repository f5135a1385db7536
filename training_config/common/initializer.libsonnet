// Embeddings and LSTM. AllenNLP draws an embedding so small (Xavier over the vocabulary) that training starts slowly.
local pretrained = std.extVar('SPIGOT_EMBEDDINGS') != '';

{
  regexes: [
    ['.*token_embedder_(%slemmas|pos).weight' % (if pretrained then '' else 'words|'),
     { type: 'uniform', a: -0.2, b: 0.2 }],
    ['.*weight_ih.*', { type: 'xavier_uniform' }],
    ['.*weight_hh.*', { type: 'orthogonal' }],
    ['.*bias_hh.*', { type: 'lstm_hidden_bias' }],
  ],
}
