import { words } from '../core/i18n';

export const t = words({
  range: ['Time', 'Période', '时间'],
  by: ['Lanes', 'Lignes', '分组'],
  provider: ['Provider', 'Fournisseur', '提供商'],
  model: ['Model', 'Modèle', '模型'],
  caption: ['Availability', 'Disponibilité', '可用性'],
  state: ['Now', 'Actuel', '当前'],
  'state.long': [
    'By the last three buckets with requests',
    'D’après les trois derniers intervalles avec des requêtes',
    '根据最近三个有请求的时段',
  ],
  green: ['Available', 'Disponible', '可用'],
  red: ['Failing', 'En panne', '故障'],
  unknown: ['No data', 'Sans données', '无数据'],
  score: ['Score', 'Score', '得分'],
  'score.long': [
    'Good answers of all that tell something of the provider',
    'Bonnes réponses parmi celles qui disent quelque chose du fournisseur',
    '能反映提供商状况的回答中成功的比例',
  ],
  lane: ['{from} – now', '{from} – maintenant', '{from} – 现在'],
  'lane.text': [
    '{full} without failures, {some} with some, {red} mostly failing, {none} '
    + 'without requests',
    '{full} sans échec, {some} avec quelques-uns, {red} surtout en échec, '
    + '{none} sans requête',
    '{full} 段无失败，{some} 段有失败，{red} 段多数失败，{none} 段无请求',
  ],
  full: ['no failures', 'aucun échec', '无失败'],
  some: ['some failures', 'quelques échecs', '有失败'],
  most: ['mostly failures', 'surtout des échecs', '多数失败'],
  none: ['no requests', 'aucune requête', '无请求'],
  requests: ['Requests', 'Requêtes', '请求'],
  all: ['Everything', 'Tout', '全部'],
  nameless: ['(none)', '(aucun)', '（无）'],

  'title.time': [
    'Duration of good answers: {name}',
    'Durée des bonnes réponses : {name}', '成功回答的用时：{name}',
  ],
  'title.outcome': ['Answers: {name}', 'Réponses : {name}', '回答：{name}'],
  success: ['good', 'bonnes', '成功'],
  failure: ['failed', 'échouées', '失败'],
  throttled: ['throttled', 'limitées', '被限流'],
  excluded: ['not counted', 'non comptées', '不计'],

  errors: ['Errors by status', 'Erreurs par statut', '按状态码的错误'],
  status: ['Status', 'Statut', '状态'],
  broken: [
    'cut, empty or an error inside', 'coupée, vide ou erreur à l’intérieur',
    '中断、为空或内含错误',
  ],
  noErrors: ['No errors', 'Aucune erreur', '没有错误'],
  times: ['Times', 'Durées', '用时'],
  duration: ['Duration', 'Durée', '用时'],
  ttft: ['First token', 'Premier jeton', '首个 token'],
  avg: ['Mean', 'Moyenne', '平均'],
  empty: [
    'Nothing was asked in this time', 'Aucune demande dans cette période',
    '该时段内没有请求',
  ],
  'empty.advice': [
    'Choose a longer time above.', 'Choisissez une période plus longue.',
    '请在上方选择更长的时间。',
  ],
});
