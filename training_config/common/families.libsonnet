// Which trees and graphs a reader of training data takes: those that the parser's structure has. The others, from which it could
// never learn, are left out, with a count and the way out in the log. What is evaluated on is read whole, so that every sentence
// counts in the scores. A structure set by --overrides does not come by here: set the reader likewise.
local option(parser, name, default) =
  if std.objectHas(parser, 'structure') && std.objectHas(parser.structure, name) then parser.structure[name] else default;

{
  trees(parser):: {
    projective: option(parser, 'type', '') == 'projective_tree',
    multiple_roots: !option(parser, 'single_root', true),
    on_excluded: 'skip',
  },
  graphs(parser)::
    local roles = option(parser, 'deterministic_roles', []);
    { on_excluded: 'skip' } + (if std.isString(roles) then { count_repeated_roles: true } else { deterministic_roles: roles }),
  all:: { multiple_roots: true },
  // The reader of what is evaluated on, from that of what is trained on.
  whole(reader):: reader { projective: false, multiple_roots: true, deterministic_roles: [], on_excluded: 'raise' },
}
