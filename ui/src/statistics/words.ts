import { words } from '../core/i18n';

export const t = words({
  today: ['Today so far', 'Aujourd’hui', '今天至今'],
  'card.requests': ['Requests', 'Requêtes', '请求'],
  'card.errors': ['Errors', 'Erreurs', '错误'],
  'card.tokens': ['Tokens', 'Jetons', 'Token'],
  'card.cost': ['Cost', 'Coût', '费用'],
  'card.time': ['Mean time', 'Durée moyenne', '平均用时'],
  'card.users': ['Active users', 'Utilisateurs actifs', '活跃用户'],
  'card.sessions': ['Sessions', 'Sessions', '会话'],

  more: ['{change} on yesterday', '{change} sur hier', '较昨日 {change}'],
  same: ['as yesterday', 'comme hier', '与昨日持平'],
  new: ['none yesterday', 'aucune hier', '昨日无'],
  compared: [
    'compared with yesterday up to the same time',
    'comparé à hier jusqu’à la même heure',
    '与昨日同一时刻相比',
  ],
  ofRequests: ['{share} of requests', '{share} des requêtes', '占请求 {share}'],
  cached: ['{share} from cache', '{share} en cache', '{share} 来自缓存'],
  noPrice: ['{n} without a price', '{n} sans prix', '{n} 个没有价格'],
  firstToken: ['first token {time}', 'premier jeton {time}', '首个 token {time}'],
  accounts: [
    '{count} accounts', '{count} comptes', '{count} 个账号',
  ],
  now: ['{count} active now', '{count} actives à présent', '当前活跃 {count}'],

  measure: ['What is shown', 'Mesure', '显示内容'],
  total_tokens: ['Tokens', 'Jetons', 'Token'],
  cost_usd: ['Cost', 'Coût', '费用'],
  requests: ['Requests', 'Requêtes', '请求'],
  by: ['Stacked by', 'Empilé par', '分组'],
  model: ['Model', 'Modèle', '模型'],
  account: ['Account', 'Compte', '账号'],
  user: ['User', 'Utilisateur', '用户'],
  provider: ['Provider', 'Fournisseur', '提供商'],
  bucket: ['One bar for', 'Une barre par', '粒度'],
  hour: ['Hour', 'Heure', '小时'],
  day: ['Day', 'Jour', '日'],
  week: ['Week', 'Semaine', '周'],
  month: ['Month', 'Mois', '月'],

  'title.model': [
    '{measure} by model', '{measure} par modèle', '{measure}（按模型）',
  ],
  'title.account': [
    '{measure} by account', '{measure} par compte', '{measure}（按账号）',
  ],
  'title.user': [
    '{measure} by user', '{measure} par utilisateur', '{measure}（按用户）',
  ],
  'title.provider': [
    '{measure} by provider', '{measure} par fournisseur', '{measure}（按提供商）',
  ],
  'caption.sums': [
    'The sums of the whole time', 'Les sommes de toute la période', '整个时段的合计',
  ],
  others: ['Others', 'Autres', '其他'],
  none: ['(none)', '(aucun)', '（无）'],
  all: ['Total', 'Total', '合计'],
  ranking: [
    'All {n} in the ranking', 'Les {n} dans le classement', '在排行中查看全部 {n} 个',
  ],
  rounded: [
    'Sums are of whole quarter-hours: {since} – {until}.',
    'Sommes par quarts d’heure entiers : {since} – {until}.',
    '合计以一刻钟为单位：{since} – {until}。',
  ],

  'unpriced.title': [
    '{n} request has tokens and no price|{n} requests have tokens and no price',
    '{n} requête a des jetons mais pas de prix|{n} requêtes ont des jetons '
    + 'mais pas de prix',
    '{n} 个请求有 token 但没有价格',
  ],
  'unpriced.advice': [
    'Costs are without them. Give these models a price with '
    + 'llm_monitor_prices:',
    'Les coûts ne les comptent pas. Donnez un prix à ces modèles avec '
    + 'llm_monitor_prices :',
    '费用未包含这些请求。请用 llm_monitor_prices 为以下模型设置价格：',
  ],
  'unpriced.more': ['and {n} more', 'et {n} autres', '以及另外 {n} 个'],

  empty: [
    'No requests in this time', 'Aucune requête dans cette période',
    '该时段内没有请求',
  ],
  'empty.advice': [
    'Choose a longer time above. Sums begin with the first request that was '
    + 'seen, and stay when the log is cleared.',
    'Choisissez une période plus longue. Les sommes commencent à la première '
    + 'requête vue et restent quand le journal est effacé.',
    '请在上方选择更长的时间。统计从第一个请求开始，清空日志后仍会保留。',
  ],
  status: [
    '{requests} requests · {tokens} tokens · {cost}',
    '{requests} requêtes · {tokens} jetons · {cost}',
    '{requests} 个请求 · {tokens} token · {cost}',
  ],
});
