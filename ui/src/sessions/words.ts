import { words } from '../core/i18n';

export const t = words({
  state: ['State', 'État', '状态'],
  both: ['All', 'Toutes', '全部'],
  active: ['Active', 'Actives', '活跃'],
  idle: ['Idle', 'Inactives', '空闲'],
  caption: ['Sessions', 'Sessions', '会话'],
  session: ['Session', 'Session', '会话'],
  INIT: ['starting', 'démarre', '开始'],
  BUSY: ['{n} running', '{n} en cours', '{n} 个进行中'],
  FAIL: ['failed', 'en échec', '失败'],
  IDLE: ['waiting', 'en attente', '等待'],
  quiet: ['idle', 'inactive', '空闲'],
  last: ['Last', 'Dernière', '最近'],
  first: ['First', 'Première', '最早'],
  requests: ['Requests', 'Requêtes', '请求'],
  errors: ['Errors', 'Erreurs', '错误'],
  tokens: ['Tokens', 'Jetons', 'Token'],
  cost: ['Cost', 'Coût', '费用'],
  time: ['Time', 'Heure', '时间'],
  duration: ['Duration', 'Durée', '用时'],
  'duration.long': [
    'Of all requests together', 'De toutes les requêtes ensemble', '全部请求合计',
  ],
  ttft: ['TTFT', 'TTFT', 'TTFT'],
  model: ['Model', 'Modèle', '模型'],
  provider: ['Provider', 'Fournisseur', '提供商'],
  who: ['User', 'Utilisateur', '用户'],
  key: ['Key', 'Clé', '密钥'],
  status: ['Status', 'Statut', '状态'],
  more: ['Show more', 'Afficher plus', '显示更多'],
  count: [
    '{n} session|{n} sessions', '{n} session|{n} sessions', '{n} 个会话',
  ],
  none: ['No sessions here', 'Aucune session', '没有会话'],
  'none.advice': [
    'A session is what a client calls one, by a header or in the body. Active '
    + 'are those of the last 5 minutes.',
    'Une session est ce que le client nomme ainsi, par un en-tête ou dans le '
    + 'corps. Actives : celles des 5 dernières minutes.',
    '会话由客户端通过请求头或请求体指定。最近 5 分钟内有请求的为活跃会话。',
  ],
  back: ['All sessions', 'Toutes les sessions', '全部会话'],
  inLog: ['In the log', 'Dans le journal', '在日志中查看'],
  newest: [
    'Sums are of the newest 2,000 requests.',
    'Sommes des 2 000 dernières requêtes.', '合计仅含最近 2000 个请求。',
  ],
  conversation: ['Conversation', 'Conversation', '对话'],
  omitted: [
    '{n} earlier message is not shown|{n} earlier messages are not shown',
    '{n} message antérieur non affiché|{n} messages antérieurs non affichés',
    '之前的 {n} 条消息未显示',
  ],
  attachments: [
    '{n} attachment|{n} attachments', '{n} pièce jointe|{n} pièces jointes',
    '{n} 个附件',
  ],
  failed: ['Failed', 'Échec', '失败'],
  'took.tokens': ['{n} tokens', '{n} jetons', '{n} Token'],
  noBodies: [
    'What was said is not stored', 'Ce qui a été dit n’est pas stocké',
    '对话内容未存储',
  ],
  'noBodies.advice': [
    'llm_monitor_bodies says which bodies are.',
    'llm_monitor_bodies dit quels corps le sont.',
    '由 llm_monitor_bodies 指令决定存储哪些内容。',
  ],
  'tokens.sum': ['Tokens so far', 'Jetons cumulés', '累计 token'],
  'cost.sum': ['Cost so far', 'Coût cumulé', '累计费用'],
});
