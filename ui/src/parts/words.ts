import { words } from '../core/i18n';

export const t = words({
  close: ['Close', 'Fermer', '关闭'],
  copy: ['Copy', 'Copier', '复制'],
  copied: ['Copied', 'Copié', '已复制'],
  notCopied: [
    'The browser does not allow copying here',
    'Le navigateur ne permet pas de copier ici',
    '浏览器不允许在此复制',
  ],
  loading: ['Loading', 'Chargement', '正在加载'],
  retry: ['Try again', 'Réessayer', '重试'],
  said: ['The server says: {text}', 'Le serveur dit : {text}', '服务器说明：{text}'],
  asTable: ['Numbers', 'Chiffres', '数据表'],
  time: ['Time', 'Heure', '时间'],

  'sum.requests': ['Requests', 'Requêtes', '请求'],
  'sum.requests.long': ['Requests', 'Requêtes', '请求'],
  'sum.success_rate': ['Success', 'Succès', '成功率'],
  'sum.success_rate.long': [
    'Share of requests without an error', 'Part des requêtes sans erreur',
    '无错误请求的比例',
  ],
  'sum.input_tokens': ['Input', 'Entrée', '输入'],
  'sum.input_tokens.long': [
    'Input tokens, cached ones included', 'Jetons d’entrée, cache compris',
    '输入 token，含缓存',
  ],
  'sum.cache_hit_rate': ['Cached', 'Cache', '缓存'],
  'sum.cache_hit_rate.long': [
    'Share of the input that came from the cache',
    'Part de l’entrée venue du cache', '来自缓存的输入比例',
  ],
  'sum.output_tokens': ['Output', 'Sortie', '输出'],
  'sum.output_tokens.long': ['Output tokens', 'Jetons de sortie', '输出 token'],
  'sum.total_tokens': ['Tokens', 'Jetons', 'Token'],
  'sum.total_tokens.long': [
    'Tokens in all', 'Jetons en tout', 'token 总数',
  ],
  'sum.cost_usd': ['Cost', 'Coût', '费用'],
  'sum.cost_usd.long': ['US dollars', 'Dollars américains', '美元'],
  'sum.duration_ms': ['Time', 'Durée', '用时'],
  'sum.duration_ms.long': ['Mean duration', 'Durée moyenne', '平均用时'],
  'sum.ttft_ms': ['TTFT', 'TTFT', 'TTFT'],
  'sum.ttft_ms.long': [
    'Mean time to the first token', 'Temps moyen jusqu’au premier jeton',
    '首个 token 平均用时',
  ],
  'sum.tokens_per_second': ['Tokens/s', 'Jetons/s', 'Token/秒'],
  'sum.tokens_per_second.long': [
    'Mean output tokens a second', 'Jetons de sortie par seconde, en moyenne',
    '每秒输出 token（平均）',
  ],
  partial: [
    'Not all of it could be counted: it is at least this.',
    'Tout n’a pas pu être compté : c’est au moins ceci.',
    '未能全部统计：至少有这些。',
  ],
  chart: ['Chart: {title}', 'Graphique : {title}', '图表：{title}'],
  'chart.keys': [
    'Arrow keys move through it', 'Les flèches le parcourent', '用方向键浏览',
  ],

  'offline.title': [
    'The server does not answer',
    'Le serveur ne répond pas',
    '服务器没有响应',
  ],
  'offline.advice': [
    'Check that nginx runs and that you are online. It is tried again '
    + 'every few seconds.',
    'Vérifiez que nginx tourne et que vous êtes en ligne. Nouvel essai '
    + 'toutes les quelques secondes.',
    '请检查 nginx 是否在运行、网络是否连通。每隔几秒会自动重试。',
  ],
  'sign-in.title': ['Please sign in', 'Connexion requise', '请先登录'],
  'sign-in.advice': [
    'Your sign-in has ended. Reload the page to sign in again.',
    'Votre session a expiré. Rechargez la page pour vous reconnecter.',
    '登录已失效。请重新加载页面以再次登录。',
  ],
  'forbidden.title': [
    'You may not see this',
    'Vous n’avez pas accès à ceci',
    '您无权查看此内容',
  ],
  'forbidden.advice': [
    'What concerns all users is not shown to one of them. Whoever runs this '
    + 'server can change that with llm_monitor_scope or llm_monitor_remote.',
    'Ce qui concerne tous les utilisateurs n’est pas montré à un seul. '
    + 'L’administrateur peut le changer par llm_monitor_scope ou '
    + 'llm_monitor_remote.',
    '涉及全体用户的内容不会显示给单个用户。服务器管理员可以通过 '
    + 'llm_monitor_scope 或 llm_monitor_remote 更改。',
  ],
  'refused.title': [
    'The server refuses this', 'Le serveur refuse ceci', '服务器拒绝访问',
  ],
  'refused.advice': [
    'A rule of nginx for {at} says so, such as allow and deny.',
    'Une règle de nginx pour {at} le veut, comme allow et deny.',
    'nginx 对 {at} 的规则（如 allow 和 deny）不允许访问。',
  ],
  'elsewhere.title': [
    'The API is not where the page asks for it',
    'L’API n’est pas là où la page la cherche',
    '页面请求的位置没有 API',
  ],
  'elsewhere.advice': [
    'It asks {at}: the configuration of nginx needs a location for it with '
    + 'llm_monitor_api.',
    'Elle demande {at} : la configuration de nginx doit y avoir un '
    + 'emplacement avec llm_monitor_api.',
    '页面请求 {at}：nginx 配置需要为它设置带 llm_monitor_api 的 location。',
  ],
  unplugged: [
    'This computer is not online', 'Cet ordinateur est hors ligne',
    '本机未联网',
  ],
  'busy.title': [
    'The server is busy',
    'Le serveur est occupé',
    '服务器繁忙',
  ],
  'busy.advice': [
    'Traffic is not affected. It is tried again; a shorter time range helps.',
    'Le trafic n’est pas touché. Nouvel essai en cours ; une période plus '
    + 'courte aide.',
    '流量不受影响。正在重试；缩短时间范围会有帮助。',
  ],
  'missing.title': ['It is not there', 'Introuvable', '未找到'],
  'missing.advice': [
    'It was cleared, has expired, or is not in what you may see.',
    'Effacé, expiré, ou hors de ce que vous pouvez voir.',
    '已被清除、已过期，或不在您可查看的范围内。',
  ],
  'wrong.title': [
    'This question is not understood',
    'Cette demande n’est pas comprise',
    '无法理解此查询',
  ],
  'wrong.advice': [
    'Change the filter that is named below, or take it away.',
    'Modifiez ou retirez le filtre nommé ci-dessous.',
    '请修改或移除下面指出的筛选条件。',
  ],
  'broken.title': [
    'That did not work',
    'Cela n’a pas fonctionné',
    '操作未成功',
  ],
  'broken.advice': [
    'The error log of nginx says more.',
    'Le journal d’erreurs de nginx en dit plus.',
    'nginx 错误日志中有更多信息。',
  ],
});
