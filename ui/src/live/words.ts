import { words } from '../core/i18n';

export const t = words({
  caption: ['Requests in flight', 'Requêtes en cours', '进行中的请求'],
  count: [
    '{n} request in flight|{n} requests in flight',
    '{n} requête en cours|{n} requêtes en cours',
    '{n} 个请求进行中',
  ],
  none: ['Nothing is in flight', 'Aucune requête en cours', '没有进行中的请求'],
  'none.advice': [
    'Requests are here from their first byte to their last one.',
    'Les requêtes sont ici de leur premier à leur dernier octet.',
    '请求从第一个字节到最后一个字节期间会显示在这里。',
  ],
  missed: [
    '{n} request had no room here and is not shown'
    + '|{n} requests had no room here and are not shown',
    '{n} requête n’a pas eu de place ici'
    + '|{n} requêtes n’ont pas eu de place ici',
    '{n} 个请求因空间不足未显示',
  ],
  state: ['State', 'État', '状态'],
  waiting: ['waiting', 'attend', '等待中'],
  going: ['streaming', 'en flux', '传输中'],
  stalled: [
    'nothing for {time}', 'rien depuis {time}', '{time} 无数据',
  ],
  elapsed: ['Elapsed', 'Écoulé', '已用时间'],
  model: ['Model', 'Modèle', '模型'],
  endpoint: ['Endpoint', 'Point d’accès', '端点'],
  who: ['Who', 'Qui', '来源'],
  ttft: ['TTFT', 'TTFT', 'TTFT'],
  'ttft.long': [
    'Time to first token', 'Temps jusqu’au premier jeton', '首个 token 用时',
  ],
  tokens: ['Tokens', 'Jetons', 'Token'],
  'tokens.long': [
    'Output so far; ≈ is an estimate from its size',
    'Sortie jusqu’ici ; ≈ est une estimation d’après la taille',
    '目前的输出；≈ 表示按大小估算',
  ],
  bytes: ['Size', 'Taille', '大小'],
});
